// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_APPLY_RETENTION_H_
#define VARVE_LOG_APPLY_RETENTION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "log/file_system.h"
#include "log/log_config.h"
#include "log/partition_log.h"
#include "log/retention_policy.h"

namespace varve {

// Whether the config deletes anything by age or size.
bool HasRetention(const LogConfig& config);

// Does what DecideRetention says of the log: moves its log start behind the
// segments that go, and begins a new segment before the last one goes. The
// files are deleted by `PartitionLog::DeleteTrimmed`, when the checkpoint with
// the new log start is durable. Returns what was decided.
//
// A segment goes, or stays, for its age only when its batches or its sidecar
// say so, not its index alone.
//
// Errors: those of reading the segments; of the roll, for which the last
// segment stays though others go; the poison of the log.
absl::StatusOr<RetentionDecision> ApplyRetention(PartitionLog& log,
                                                 absl::Time now);

// How many segments are too many by retention.bytes alone: those before the
// active one that it lets go, and those that are below the log start and whose
// files are still there. 0 where it does not delete.
absl::StatusOr<int64_t> CountOverBytes(PartitionLog& log);

// Moves the log start behind the segments that retention.bytes alone lets go,
// the active one never. Those that are not durable are synced first: the disk
// has to take what it is about to lose, or the log would outgrow its limit as
// far as appends outrun the disk. The files are deleted as above.
//
// Errors: as of PartitionLog::MoveLogStart; those of reading sizes.
absl::Status ApplyRetentionBytes(PartitionLog& log);

// Whether ApplyRetention might do anything to the log in this directory, which
// is not open. Looks at the names, at two files, and with retention.bytes at
// every size.
absl::StatusOr<bool> MayNeedRetention(Directory& directory,
                                      const LogConfig& config, absl::Time now);

}  // namespace varve

#endif  // VARVE_LOG_APPLY_RETENTION_H_
