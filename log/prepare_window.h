// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PREPARE_WINDOW_H_
#define VARVE_LOG_PREPARE_WINDOW_H_

#include <algorithm>
#include <cstdint>
#include <limits>

namespace varve {

// How far ahead of the appends a partition's active segment is prepared: not at
// all for one that gets little, and up to kMax for one that gets much. Each
// time the appends have come half-way through the window, it is made as wide
// as four times what they took since the last time.
//
// Thread safety: externally synchronized.
class PrepareWindow {
 public:
  static constexpr int64_t kMin = int64_t{256} << 10;
  static constexpr int64_t kMax = int64_t{16} << 20;
  // What is appended to a segment before anything is prepared.
  static constexpr int64_t kFirst = int64_t{32} << 10;

  // Whether the appends, at `position` of the segment, have come so far that it
  // is time; from then on it says no until `Advance`.
  bool TakeDue(int64_t position) {
    if (position < due_at_) return false;
    due_at_ = kNever;
    return true;
  }

  // Bytes to prepare behind `position`, at most `budget`.
  int64_t Advance(int64_t position, int64_t budget) {
    const int64_t taken = position - last_position_;
    const int64_t bytes =
        std::min(std::clamp(4 * taken, kMin, kMax), std::max(budget, kFirst));
    last_position_ = position;
    due_at_ = position + bytes / 2;
    return bytes;
  }

  // At a new segment, whose front is prepared up to `prepared` already.
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

#endif  // VARVE_LOG_PREPARE_WINDOW_H_
