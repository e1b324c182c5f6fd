// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_RECOVERY_H_
#define VARVE_LOG_PARTITION_RECOVERY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/leader_epochs.h"
#include "log/log_config.h"
#include "log/partition_checkpoint.h"
#include "log/recovery_report.h"

namespace varve {

// A partition's files, brought into order.
struct RecoveredLog {
  std::vector<int64_t> segment_bases;  // ascending
  int64_t log_start = 0;
  int64_t next_offset = 0;  // everything below it is durable
  LeaderEpochs epochs;
  int32_t highest_epoch = -1;  // of any batch or epoch ever met; -1: none
  // The first append needs an epoch of its own: the open was not clean.
  bool needs_new_epoch = false;
  // The last segment ends in damage that is kept: append to a new one.
  bool needs_new_segment = false;
  // How many bytes of the last segment are the log's; none: all of them.
  std::optional<int64_t> last_segment_size;
  // Not OK: why nothing can be appended.
  absl::Status read_only;
  PartitionRecovery report;
};

// Opens a partition after a clean shutdown: looks at the last batches only and
// changes nothing.
//
// Errors: DataLoss when the files are not what a clean shutdown leaves; then
// `RecoverPartition` is called for.
absl::StatusOr<RecoveredLog> OpenCleanPartition(
    Directory& directory, const PartitionOutline& outline);

// Recovers a partition after any other shutdown: scans it from the segment of
// the recovery point on, and does what log/tail_recovery.h says. On return
// what remains is durable. Can be interrupted anywhere and repeated. Bytes are
// judged by the format and by `outline`; of `config` only what new indexes are
// made with counts.
//
// Errors: those of the files; damage is not an error but a finding.
absl::StatusOr<RecoveredLog> RecoverPartition(Directory& directory,
                                              const LogConfig& config,
                                              const PartitionOutline& outline);

// The base offsets of the segments in a partition's directory, ascending.
absl::StatusOr<std::vector<int64_t>> ListSegments(Directory& directory);

// Whether a partition with this config may be compacted from now on.
Continuity ContinuityOf(const LogConfig& config);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_RECOVERY_H_
