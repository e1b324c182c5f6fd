// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_LIST_H_
#define VARVE_LOG_SEGMENT_LIST_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "log/file_system.h"
#include "log/segment.h"

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
  // `bases` ascend. `last_size` bytes of the last one are the log's, if given.
  SegmentList(Directory* directory, const std::vector<int64_t>& bases,
              std::optional<int64_t> last_size);

  struct Found {
    std::shared_ptr<Segment> segment;
    // Of the segment behind; none for the last one.
    std::optional<int64_t> next_base_offset;
  };

  // The segment that holds `offset` if any does: the last one that begins at
  // or before it.
  //
  // Errors: NotFound when every segment begins behind `offset`; those of
  // opening the files.
  absl::StatusOr<Found> Find(int64_t offset);

  // Puts the segment behind the last one, or in its place when it has the
  // same base offset.
  void PutLast(std::shared_ptr<Segment> segment);

  // The base offset of the last segment; none when there is no segment.
  std::optional<int64_t> last_base_offset() const;
  std::optional<int64_t> first_base_offset() const;

  int64_t count() const;

 private:
  struct Entry {
    int64_t base_offset;
    int64_t size_max = std::numeric_limits<int64_t>::max();
    std::shared_ptr<Segment> segment = {};  // null until it is needed
  };

  // The index of the entry to look for `offset` in, -1 for none.
  int64_t IndexOf(int64_t offset) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  Directory* const directory_;

  mutable absl::Mutex mu_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_LIST_H_
