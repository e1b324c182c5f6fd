// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_RECOVERY_H_
#define VARVE_LOG_SEGMENT_RECOVERY_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/leader_epochs.h"
#include "log/log_config.h"
#include "log/partition_checkpoint.h"
#include "log/recovery_report.h"

namespace varve {

// Where the epochs in force are known from.
enum class EpochsSource { kCheckpoint, kBatches };

struct SegmentRecoveryInputs {
  int64_t base_offset = 0;
  // The base offset of the segment behind this one, if there is one.
  std::optional<int64_t> next_base_offset = {};
  // Whether any segment behind this one begins with a whole batch.
  BatchBehind later_segments = BatchBehind::kNone;
  PartitionOutline outline = {};
  // The epochs in force; null: any.
  const LeaderEpochs* epochs = nullptr;
  EpochsSource epochs_source = EpochsSource::kCheckpoint;
  // Takes the segments behind this one out of the log, durably. Called before
  // this one is cut; null when there is none.
  std::function<absl::Status()> set_aside_later = nullptr;
};

struct SegmentRecoveryResult {
  int64_t next_offset = 0;     // behind the last good batch
  int32_t highest_epoch = -1;  // of the batches met, cut ones included
  int64_t visible_size = 0;    // bytes of the .log up to the last good batch
  bool cut = false;            // the log ends here, whatever segments follow
  bool damaged_end =
      false;  // ends in damage that was kept: not to be appended to
  // The next segment begins behind a gap that compaction may have left, and no
  // checkpoint says whether it did.
  bool unproved_gap = false;
  // A whole batch below the recovery point, which cannot be stale, is not of
  // the epoch in force at its offset: the checkpoint of the epochs is wrong.
  // Nothing was done; recover again with epochs read from the batches.
  bool epochs_contradicted = false;
  // Not OK: what should have been cut could not be set aside, for this reason,
  // and is still there. Read up to `visible_size`; append nothing.
  absl::Status read_only;
};

// Scans one segment from its base, makes its indexes and its sidecar again, and
// does what the table of log/tail_recovery.h says where the scan stops. The
// result, and what is cut, is synced. Can be interrupted anywhere and repeated.
//
// What the bytes are judged by is the format and `inputs`; of `config` only
// what new indexes are made with counts.
//
// Adds what it found to `report`.
//
// Precondition: what is read from the .log is what the disk holds.
// Errors: those of the files. The segment is as it was then, but for its
// indexes and its sidecar, which may be gone.
absl::StatusOr<SegmentRecoveryResult> RecoverSegment(
    Directory& directory, const LogConfig& config,
    const SegmentRecoveryInputs& inputs, PartitionRecovery& report);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_RECOVERY_H_
