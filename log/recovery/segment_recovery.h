// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_SEGMENT_RECOVERY_H_
#define VARVE_LOG_RECOVERY_SEGMENT_RECOVERY_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Where the epochs in force were read from.
enum class EpochsSource { kCheckpoint, kBatches };

struct SegmentRecoveryInputs {
  int64_t base_offset = 0;
  // The base offset of the segment after this one, if there is one.
  std::optional<int64_t> next_base_offset = {};
  // Whether any segment after this one begins with a whole batch.
  BatchBehind later_segments = BatchBehind::kNone;
  PartitionFacts outline = {};
  // The epochs in force; null: any.
  const LeaderEpochs* epochs = nullptr;
  EpochsSource epochs_source = EpochsSource::kCheckpoint;
  // Removes the segments after this one from the log, durably. Called before
  // this one is cut; null when there is none.
  std::function<absl::Status()> set_aside_later = nullptr;
};

struct SegmentRecoveryResult {
  int64_t next_offset = 0;     // after the last good batch
  int32_t highest_epoch = -1;  // of the batches met, cut ones included
  int64_t visible_size = 0;    // bytes of the .log up to the last good batch
  bool cut = false;            // the log ends here, whatever segments follow
  bool damaged_end =
      false;  // ends in damage that was kept: not to be appended to
  // The next segment begins after a gap that compaction may have left, and no
  // checkpoint says whether it did.
  bool unproved_gap = false;
  // A whole batch below the recovery point, which cannot be stale, is not of
  // the epoch in force at its offset: the checkpoint of the epochs is wrong.
  // Nothing was done; recover again with epochs read from the batches.
  bool epochs_contradicted = false;
  // Not OK: the bytes to cut could not be set aside, for this reason, and are
  // still there. Read up to `visible_size`; append nothing.
  absl::Status read_only;
};

// Scans one segment from its base, makes its indexes and its sidecar again, and
// does what the table of log/recovery/tail_recovery.h says where the scan
// stops. The result, and the copy of what is cut, are synced. Can be
// interrupted anywhere and repeated.
//
// The bytes are judged by the format and `inputs`; `config` is used only to
// make new indexes.
//
// Adds its findings to `report`.
//
// Precondition: reads of the .log return what the disk holds.
// Errors: file errors (log/system/errno_status.h). Every batch that is kept is
// then as it was. What is not kept may be cut already, but never without its
// synced copy, and the indexes and the sidecar may be gone: repeat the call.
absl::StatusOr<SegmentRecoveryResult> RecoverSegment(
    Directory& directory, const LogConfig& config,
    const SegmentRecoveryInputs& inputs, PartitionRecoveryReport& report);

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_SEGMENT_RECOVERY_H_
