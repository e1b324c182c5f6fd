// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_PARTITION_RECOVERY_H_
#define VARVE_LOG_RECOVERY_PARTITION_RECOVERY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/producer_state/producer_load.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {

// A partition whose files are in order, after recovery or a clean shutdown.
struct RecoveredLog {
  std::vector<int64_t> segment_bases;  // ascending
  int64_t log_start = 0;
  int64_t next_offset = 0;  // everything below it is durable
  // Everything below it is compacted; nothing when it never was.
  std::optional<int64_t> first_dirty;
  LeaderEpochs epochs;
  int32_t highest_epoch = -1;  // of any batch or epoch ever met; -1: none
  // The first append needs an epoch of its own, because the open was not clean.
  bool needs_new_epoch = false;
  // The last segment ends in damage that is kept: append to a new one.
  bool needs_new_segment = false;
  // How many bytes of the last segment belong to the log; none: all of them.
  std::optional<int64_t> last_segment_size;
  // Not OK: why nothing can be appended.
  absl::Status read_only;
  // What is known of its producers; null for nothing. The log takes it.
  std::shared_ptr<LoadedProducers> producers;
  PartitionRecoveryReport report;
};

// Opens a partition after a clean shutdown: reads only the last batches, the
// newest snapshot of its producers, if there is one, and what they have
// appended since; and changes nothing.
//
// Errors: DataLoss when the files are not what a clean shutdown leaves, and
// `RecoverPartition` is needed; other file errors (log/system/errno_status.h).
absl::StatusOr<RecoveredLog> OpenCleanPartition(Directory& directory,
                                                const PartitionFacts& outline);

// Recovers a partition after any other shutdown: scans it from the segment of
// the recovery point on, and does what log/recovery/tail_recovery.h says. On
// return all that remains is durable. Can be interrupted anywhere and repeated.
// Bytes are judged by the format and by `outline`; `config` is used only to
// make new indexes.
//
// Errors: file errors; damage is a finding, not an error.
absl::StatusOr<RecoveredLog> RecoverPartition(Directory& directory,
                                              const LogConfig& config,
                                              const PartitionFacts& outline);

// Whether a partition with this config may be compacted from now on.
Continuity ContinuityOf(const LogConfig& config);

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_PARTITION_RECOVERY_H_
