// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_IMPORT_SEGMENT_IMPORT_H_
#define VARVE_LOG_IMPORT_SEGMENT_IMPORT_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/import/import_progress.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/segment_recovery.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The directories of one partition: a broker's, which is only read
// (log/broker/broker_partition.h), and the one that becomes a store's.
struct ImportDirectories {
  Directory& source;
  Directory& destination;
};

// The state of the segment in the source; nothing to compare in a copy that is
// not there, is not whole, or was changed since. Errors: file errors
// (log/system/errno_status.h); NotFound when the source has no such segment.
struct SourceSegment {
  int64_t bytes = 0;  // of the .log
  int64_t modified_ns = 0;
};
absl::StatusOr<SourceSegment> LookAtSource(Directory& source,
                                           int64_t base_offset);

// The offset after the last batch of the segment in the destination, if that is
// a copy of the source's as it is now, and done. Nothing otherwise.
std::optional<int64_t> EndOfDone(Directory& destination, int64_t base_offset,
                                 const SourceSegment& source,
                                 const ImportProgress& progress);

struct SegmentImport {
  SegmentRecoveryResult recovery = {};
  int64_t records = 0;
  // After the last batch, which may be below the log start.
  int64_t end_offset = 0;
  // kGapsAllowed: offsets are missing in the segment, or between it and the
  // next one.
  Continuity continuity = Continuity::kExact;
};

// Copies a segment, byte by byte; checks every batch, and makes indexes and a
// sidecar, by log/recovery. What a recovery would cut at the end of the log is
// not in the copy; what it kept, or set aside, is in `report`. The files are
// synced on return, and their names durable after a sync of the directory.
//
// Errors: NotFound when the source has no such segment; Unavailable when an
// index could not be made; file errors.
absl::StatusOr<SegmentImport> ImportSegment(const ImportDirectories& where,
                                            const LogConfig& config,
                                            const SegmentRecoveryInputs& inputs,
                                            const CopyProgress& progress,
                                            PartitionRecoveryReport& report);

}  // namespace varve

#endif  // VARVE_LOG_IMPORT_SEGMENT_IMPORT_H_
