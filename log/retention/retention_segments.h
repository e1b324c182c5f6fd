// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RETENTION_RETENTION_SEGMENTS_H_
#define VARVE_LOG_RETENTION_RETENTION_SEGMENTS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/index/transaction_index.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The facts of a sealed segment, from its files. The timestamp is that of its
// sidecar, or else of the last entry of its time index, if the batch that this
// names has it; otherwise -1. `next_offset` is left to the caller.
//
// Errors: file errors of the .log (log/system/errno_status.h).
absl::StatusOr<RetentionSegment> ReadRetentionSegment(Directory& directory,
                                                      int64_t base_offset);

// Sizes and times of the segments of one partition. Each sealed segment is read
// once, because it does not change any more.
//
// Borrows the directory and the list, which must outlive it.
//
// Thread safety: thread-safe.
class RetentionSegments {
 public:
  RetentionSegments(Directory* directory, SegmentList* segments,
                    int64_t log_end)
      : directory_(directory), segments_(segments), last_end_(log_end) {}

  // The facts of all segments, oldest first. Nothing is mapped for it. Segments
  // that are trimmed or replaced meanwhile are left out; those that have no
  // name yet are not opened by name.
  //
  // The last one counts as written now when the log end has moved since the
  // last call, because its file may not show that yet.
  absl::StatusOr<std::vector<RetentionSegment>> Collect(int64_t log_end,
                                                        int64_t now_ms);

  // The same with only offsets and sizes, without segments that are removed
  // meanwhile: cheap, once each sealed segment was read.
  absl::StatusOr<std::vector<RetentionSegment>> CollectSizes(int64_t log_end);

  // Bytes of the batches of all segments. Segments that are removed meanwhile
  // are not counted.
  absl::StatusOr<int64_t> TotalBytes();

  // Segments that begin in the range were replaced: others have their names.
  void Forget(const OffsetRange& range);

  // Reads the largest timestamp of a segment from its batches and returns it;
  // if the segment is sealed, later calls use it as well.
  absl::StatusOr<int64_t> VerifyTimestamp(int64_t base_offset);

 private:
  struct Sealed {
    RetentionSegment facts;
    bool verified = false;
  };

  bool IsGone(const SegmentList::Listed& listed) const;
  absl::StatusOr<RetentionSegment> FactsOf(const SegmentList::Listed& listed,
                                           int64_t next_offset, int64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<RetentionSegment> FactsOfLast(
      const SegmentList::Listed& listed, int64_t log_end, int64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Directory* const directory_;
  SegmentList* const segments_;

  absl::Mutex mu_;
  std::map<int64_t, Sealed> sealed_ ABSL_GUARDED_BY(mu_);
  int64_t last_end_ ABSL_GUARDED_BY(mu_);
  int64_t last_moved_ms_ ABSL_GUARDED_BY(mu_) = -1;
};

}  // namespace varve

#endif  // VARVE_LOG_RETENTION_RETENTION_SEGMENTS_H_
