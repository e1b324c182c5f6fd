// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BACKUP_SEGMENT_COPY_H_
#define VARVE_LOG_BACKUP_SEGMENT_COPY_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Whether a segment can still change in its writer's hands.
enum class SegmentState {
  // It lies below the recovery point with all its files, and nobody touches
  // them until they are deleted: log/FORMAT.md, invariant I11.
  kFinal,
  // It may grow, be cut by a recovery, or wait for its last sync. Its indexes
  // are left out: recovery makes them again.
  kMayChange,
};

// What is done with a segment that the destination has already.
enum class SameSegments {
  // It is kept, and synced, if both have the same sidecar: a sidecar is written
  // after the files that it describes are durable, and sums up every batch in
  // them. Whether the files, of either side, are still what it says is not
  // looked at; for those of the destination a verification finds it.
  kKeep,
  kCopyAgain,
};

// What becomes of a .log that is replaced.
enum class ReplacedLog {
  kDisplace,  // it is put aside: log/backup/earlier_segments.h
  kDrop,
};

struct SegmentCopyOptions {
  SegmentState state = SegmentState::kMayChange;
  SameSegments same = SameSegments::kKeep;
  ReplacedLog replaced = ReplacedLog::kDisplace;
  CopyProgress progress = nullptr;
};

struct SegmentCopy {
  int64_t bytes = 0;  // of the .log
  bool is_kept = false;
  // An index of a final segment was not there: it is lost, or the segment is
  // just being deleted, its .log last.
  bool lacks_index = false;
};

// Copies the files of one segment from a partition's directory to another one:
// its .log, its indexes if it is final, and what Kafka may have left beside it;
// its sidecar last, when the rest is durable. The names are durable after a
// sync of the directory. What the destination has of that segment stays as it
// is until the whole .log is copied.
//
// Errors: NotFound when the source has no such segment (any more); other file
// errors (log/system/errno_status.h).
absl::StatusOr<SegmentCopy> CopySegment(Directory& source,
                                        Directory& destination,
                                        int64_t base_offset,
                                        const SegmentCopyOptions& options);

}  // namespace varve

#endif  // VARVE_LOG_BACKUP_SEGMENT_COPY_H_
