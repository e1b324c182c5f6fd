// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_POPULATE_WINDOW_H_
#define VARVE_LOG_SEGMENT_POPULATE_WINDOW_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/log/check.h"

namespace varve {

// How far ahead of the appends a partition's active segment is prepared: not at
// all for one that few appends go to, and up to kMax for one that gets many.
// Each time the appends are half-way through the window, it is set to four
// times the bytes that were appended since the last time.
//
// Thread safety: externally synchronized.
class PopulateWindow {
 public:
  static constexpr int64_t kMin = int64_t{256} << 10;
  static constexpr int64_t kMax = int64_t{16} << 20;
  // Bytes appended to a segment before anything is prepared.
  static constexpr int64_t kFirst = int64_t{32} << 10;
  static_assert(kFirst <= kMin && kMin <= kMax);

  // Whether the appends, at `position` of the segment, have come so far that
  // preparing is due; after that it returns false until `Advance`.
  bool TakeDue(int64_t position) {
    if (position < due_at_) return false;
    due_at_ = kNever;
    return true;
  }

  // Bytes to prepare after `position`: at most `budget`, or kFirst if that is
  // more.
  int64_t Advance(int64_t position, int64_t budget) {
    CHECK_GE(position, last_position_);
    const int64_t taken = position - last_position_;
    const int64_t bytes =
        std::min(std::clamp(4 * taken, kMin, kMax), std::max(budget, kFirst));
    last_position_ = position;
    due_at_ = position + bytes / 2;
    return bytes;
  }

  // Begins with a new segment, whose front is already prepared up to
  // `prepared`.
  void BeginSegment(int64_t prepared) {
    last_position_ = 0;
    due_at_ = std::max(prepared / 2, kFirst);
  }

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  int64_t last_position_ = 0;
  int64_t due_at_ = kFirst;
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_POPULATE_WINDOW_H_
