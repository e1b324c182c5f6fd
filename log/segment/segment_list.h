// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_SEGMENT_LIST_H_
#define VARVE_LOG_SEGMENT_SEGMENT_LIST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/segment/open_segments.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_pins.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The segments of one partition, in the order of their offsets. Sealed ones are
// opened when they are first read.
//
// Borrows the directory, which must outlive it.
//
// Thread safety: thread-safe. Readers and the writer share one short lock, held
// to copy a pointer; no file is opened under it.
class SegmentList {
 public:
  // `bases` ascend. If `last_size` is given, only that many bytes of the last
  // segment belong to the log. Open segments are counted in `open`, pinned ones
  // in `pins`, which must outlive the list; `before_open` is called, without a
  // lock, before a segment is opened to be read.
  SegmentList(Directory* directory, const std::vector<int64_t>& bases,
              std::optional<int64_t> last_size,
              std::shared_ptr<OpenSegments> open, SegmentPins* pins,
              std::function<void()> before_open);
  ~SegmentList();

  struct Found {
    std::shared_ptr<Segment> segment = {};
    // The base offset of the next segment; none for the last one.
    std::optional<int64_t> next_base_offset = {};
  };

  // The segment that holds `offset` if any does: the last one that begins at or
  // before it. A caller that keeps it pins it.
  //
  // Errors: NotFound when every segment begins after `offset`; DataLoss when
  // the .log is missing, with the base of the segment after it as the next
  // readable offset; other file errors (log/system/errno_status.h).
  absl::StatusOr<Found> Find(int64_t offset);

  // The largest timestamp of a segment that `Find` has found, from its batches
  // or its sidecar, which is read once; nothing when neither has it.
  std::optional<int64_t> LargestTimestamp(const Segment& segment) const;

  // Puts the segment after the last one, or in its place when it has the same
  // base offset. When it throws, the list is unchanged.
  void PutLast(std::shared_ptr<Segment> segment);

  // A segment that was removed from the list. The next one begins at
  // `end_offset`.
  struct Removed {
    int64_t base_offset = 0;
    int64_t end_offset = 0;
  };

  // Removes every segment that lies wholly below `offset` from the list, but
  // never the last one; returns them in order. Their files stay: the caller
  // removes them. When it throws, all are still in the list, some of them
  // closed.
  std::vector<Removed> RemoveBefore(int64_t offset);

  // Puts segments in the place of those that begin within the range, which are
  // closed; their files stay, and so do views of them. When it throws, all are
  // still in the list, some of them closed.
  //
  // Precondition: `by` ascends within the range, and begins where the first of
  // them does; the last segment is not in the range.
  void Replace(const OffsetRange& range,
               std::vector<std::shared_ptr<Segment>> by);

  // Whether `RemoveBefore` would remove any.
  bool HasBefore(int64_t offset) const;
  // Whether a segment begins here.
  bool HasBase(int64_t base_offset) const;
  // Whether exactly these begin within the range.
  bool HasExactly(const OffsetRange& range,
                  absl::Span<const int64_t> base_offsets) const;

  // Whether the segment is the one that a read of its offsets finds now.
  bool Holds(const Segment& segment) const;

  // Closes the segments that are open, so that they cost neither mapping nor
  // descriptor; views keep theirs. They are opened again when they are read.
  // One whose files do not have its names stays open: it could not be opened
  // again.
  //
  // Precondition: nothing is being written to any of them.
  void CloseAll();

  // All of them, in order.
  struct Listed {
    int64_t base_offset = 0;
    std::shared_ptr<Segment> segment = {};  // null when it is not open
  };
  std::vector<Listed> List() const;

  // The base offset of the last segment; none when there is no segment.
  std::optional<int64_t> last_base_offset() const;
  std::optional<int64_t> first_base_offset() const;

  int64_t count() const;
  // How many of them are open.
  int64_t open_count() const;

 private:
  struct Entry {
    int64_t base_offset;
    int64_t size_max = std::numeric_limits<int64_t>::max();
    // The owner that the pins made; null until it is needed.
    std::shared_ptr<Segment> segment = {};
  };

  // The place that `Find` has found before it opens the segment.
  struct Place {
    int64_t base_offset = 0;
    int64_t size_max = 0;
    int64_t generation = 0;
    Found found;
  };

  absl::StatusOr<Place> FindPlace(int64_t offset) const;

  // Keeps a segment that was opened, unless the list has changed since: then
  // the segment may no longer be part of the log. Returns whether the list has
  // not changed.
  bool PutOpened(const Place& place, std::shared_ptr<Segment> segment);

  // The index of the entry to look for `offset` in, -1 for none. Looks
  // first at the one found last and the one after it.
  int64_t IndexOf(int64_t offset) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  bool HoldsAt(size_t i, int64_t offset) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  // The index of the first entry that begins here or later.
  size_t FirstFrom(int64_t offset) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  // Has the pins hold the segments, and appends them to `entries`, which have
  // room for them: all or, when it throws, none.
  void HoldAll(std::vector<std::shared_ptr<Segment>> segments,
               std::vector<Entry>& entries) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Adds to the counts of open segments. `mu_` is held.
  void CountOpen(int64_t change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Directory* const directory_;
  const std::shared_ptr<OpenSegments> open_;
  SegmentPins* const pins_;
  const std::function<void()> before_open_;

  mutable absl::Mutex mu_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mu_);
  // Counts changes after which a base offset may stand for another file or
  // length.
  int64_t generation_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t open_count_ ABSL_GUARDED_BY(mu_) = 0;
  // Where `Find` looks first. Memory ordering: relaxed; any value leads to the
  // right entry.
  mutable std::atomic<size_t> last_found_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_SEGMENT_LIST_H_
