// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_TRIMMED_SEGMENTS_H_
#define VARVE_LOG_PARTITION_TRIMMED_SEGMENTS_H_

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The segments of a partition that are below its log start, until their files
// are deleted. They are not deleted before a checkpoint with that log start is
// durable, because a crash between the two would look like a loss.
//
// Borrows the directory, which must outlive it.
//
// Thread safety: thread-safe.
class TrimmedSegments {
 public:
  // `left` is what an earlier deletion left when it was cut short.
  TrimmedSegments(Directory* directory,
                  const std::vector<SegmentList::Removed>& left)
      : directory_(directory), segments_(left) {}

  // Takes the segments that lie wholly below `offset` from the list. When it
  // throws, they are still in the list.
  void TakeBefore(int64_t offset, SegmentList& segments);
  bool empty() const { return count() == 0; }
  // How many still have their files, those that are being deleted included.
  int64_t count() const;

  // Deletes the files of those that end at or before `durable_start`, the log
  // start of a durable checkpoint, and counts them. Others may have been added
  // since it was written. Views that pin them stay valid. Calls at the same
  // time share the work, a segment at a time, and do not wait for each other.
  //
  // `settle` is called first. It syncs those that are sealed and not synced
  // yet, because a later sync would create their names, and a sidecar, again.
  //
  // Errors: that of `settle`; the first file error (log/system/errno_status.h).
  // Segments that could not be deleted are kept for the next call, also when it
  // throws.
  absl::Status Delete(int64_t durable_start,
                      absl::FunctionRef<absl::Status()> settle,
                      LogMeters& meters);

  // The offset below which no segment that was added has a file left. 0 when
  // none was deleted.
  int64_t deleted_end() const;

 private:
  // A range of base offsets: more than `after`, at most `last`.
  struct Range {
    int64_t after;
    int64_t last;
  };
  int64_t last_base_offset() const;
  std::optional<SegmentList::Removed> Take(int64_t durable_start, Range range);
  void GiveBack(int64_t base_offset);
  void NoteDeleted(const SegmentList::Removed& segment);

  Directory* const directory_;

  mutable absl::Mutex mu_;
  // In the order of their base offsets.
  std::vector<SegmentList::Removed> segments_ ABSL_GUARDED_BY(mu_);
  // The base offsets of those that a `Delete` is working on.
  std::set<int64_t> taken_ ABSL_GUARDED_BY(mu_);
  int64_t deleted_end_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_TRIMMED_SEGMENTS_H_
