// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_FACTS_H_
#define VARVE_LOG_SEGMENT_FACTS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "log/file_system.h"
#include "log/retention_policy.h"
#include "log/segment_list.h"

namespace varve {

// What its files say of a sealed segment. The timestamp is its sidecar's, or
// else that of its time index's last entry, if the batch that this names has
// it; -1 without. `next_offset` is left for the caller.
//
// Errors: those of the .log file.
absl::StatusOr<RetentionSegment> ReadSegmentFacts(Directory& directory,
                                                  int64_t base_offset);

// Sizes and times of the segments of one partition. Each sealed segment is
// looked at once: it does not change any more.
//
// Borrows the directory and the list, which must outlive it.
//
// Thread safety: thread-safe.
class SegmentFacts {
 public:
  SegmentFacts(Directory* directory, SegmentList* segments, int64_t log_end)
      : directory_(directory), segments_(segments), last_end_(log_end) {}

  // Of all segments, oldest first. Nothing is mapped for it. Those that are
  // trimmed meanwhile are left out; what has no name yet is not asked for by
  // one.
  //
  // The last one counts as written now when the log end has moved since the
  // last call: its file may not know of it yet.
  absl::StatusOr<std::vector<RetentionSegment>> Collect(int64_t log_end,
                                                        int64_t now_ms);

  // The same with no more than offsets and sizes, without those that go
  // meanwhile: cheap, once each sealed segment was looked at.
  absl::StatusOr<std::vector<RetentionSegment>> CollectSizes(int64_t log_end);

  // Bytes of the batches of all segments. Those that go meanwhile count for
  // nothing.
  absl::StatusOr<int64_t> TotalBytes();

  // Has the batches of a segment say its largest timestamp, for this call and
  // all later ones if it is sealed, and returns it.
  absl::StatusOr<int64_t> VerifyTimestamp(int64_t base_offset);

 private:
  struct Sealed {
    RetentionSegment facts;
    bool verified = false;
  };

  bool IsTrimmed(const SegmentList::Listed& listed) const;
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

#endif  // VARVE_LOG_SEGMENT_FACTS_H_
