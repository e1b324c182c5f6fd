// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_READY_SEGMENT_RECOVERY_H_
#define VARVE_LOG_RECOVERY_READY_SEGMENT_RECOVERY_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The result of recovering a ready segment.
struct ReadyRecovery {
  // The bytes that it set aside, or should have.
  std::optional<RecoveryFinding> finding = {};
  // Not OK: there was no room to set it aside, and it is still there. Nothing
  // may be appended to the log.
  absl::Status read_only = {};
};

// Called at an open after a crash: gives a ready segment that was already in
// use its name, and removes one that was not. `recovery_point` is that of the
// log: no batch in the segment has a lower offset.
//
// A file whose first batch is not whole is no segment: it is set aside unless
// it is all zeros.
//
// Errors: file errors (log/system/errno_status.h).
absl::StatusOr<ReadyRecovery> RecoverReadySegment(Directory& directory,
                                                  int64_t recovery_point);

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_READY_SEGMENT_RECOVERY_H_
