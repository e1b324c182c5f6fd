// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_APPLY_RETENTION_H_
#define VARVE_LOG_PARTITION_APPLY_RETENTION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Whether the config deletes anything by age or size.
bool HasRetention(const LogConfig& config);

// Applies what DecideRetention decides: moves the log start past the segments
// to delete, and begins a new segment before the last one is deleted. The files
// are deleted by `PartitionLog::DeleteTrimmed`, when the checkpoint with the
// new log start is durable. Returns the decision.
//
// A segment is deleted or kept for its age only if its batches or its sidecar
// confirm it, not its index alone.
//
// Errors: file errors (log/system/errno_status.h) of reading the segments;
// those of the roll, after which the last segment stays though others are
// deleted; the poison of the log.
absl::StatusOr<RetentionDecision> ApplyRetention(PartitionLog& log,
                                                 absl::Time now);

// How many segments are too many by retention.bytes alone: those before the
// active one that it deletes, and those below the log start whose files still
// exist. 0 where it does not delete.
absl::StatusOr<int64_t> CountOverBytes(PartitionLog& log);

// Moves the log start past the segments that retention.bytes alone deletes,
// never the active one. Those that are not durable are synced first, although
// they are about to be deleted: otherwise the log would outgrow its limit as
// far as appends outrun the disk. `PartitionLog::DeleteTrimmed` deletes the
// files.
//
// Errors: those of PartitionLog::MoveLogStart; file errors of reading sizes.
absl::Status ApplyRetentionBytes(PartitionLog& log);

// Whether ApplyRetention might do anything to the log in this directory, which
// is not open. Reads the names, the files of two segments, and with
// retention.bytes every size.
absl::StatusOr<bool> MayNeedRetention(Directory& directory,
                                      const LogConfig& config, absl::Time now);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_APPLY_RETENTION_H_
