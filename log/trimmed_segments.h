// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_TRIMMED_SEGMENTS_H_
#define VARVE_LOG_TRIMMED_SEGMENTS_H_

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "log/file_system.h"
#include "log/log_meters.h"
#include "log/segment_list.h"

namespace varve {

// The segments of a partition that are below its log start, until their files
// are deleted: not before a checkpoint with that log start is durable, or a
// crash between the two would look like a loss.
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

  // Takes those out of the list that lie wholly below `offset`. When it throws,
  // they are still there.
  void TakeBefore(int64_t offset, SegmentList& segments);
  bool empty() const;

  // Deletes the files of those that end at or before `durable_start`, the log
  // start of a durable checkpoint, and counts them: others may have been added
  // since it was written. Views that pin them stay valid.
  //
  // `settle` is called first. It syncs what of them was sealed and not synced
  // yet: a later sync would give their files names, and a sidecar, again.
  //
  // Errors: the first one; what could not be deleted is kept for the next call,
  // also when it throws.
  absl::Status Delete(int64_t durable_start,
                      absl::FunctionRef<absl::Status()> settle,
                      LogMeters& meters);

  // After a `Delete` that was OK: no file is left below. 0 for none deleted.
  int64_t deleted_end() const;

 private:
  Directory* const directory_;

  std::vector<SegmentList::Removed> EndingBefore(int64_t offset) const;
  void NoteDeleted(const SegmentList::Removed& segment);

  absl::Mutex deleting_ ABSL_ACQUIRED_BEFORE(mu_);
  mutable absl::Mutex mu_;
  std::vector<SegmentList::Removed> segments_ ABSL_GUARDED_BY(mu_);
  int64_t deleted_end_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_TRIMMED_SEGMENTS_H_
