// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_READ_ENDS_H_
#define VARVE_LOG_SEGMENT_READ_ENDS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "varve/log/segment/batch_scanner.h"

namespace varve {

// Where the latest reads of one segment ended, so that a reader that goes on
// from there searches nothing. A sequential reader keeps one of the eight
// slots, until eight other reads have begun elsewhere since its last one.
//
// What it says is a hint, like an index entry: the caller checks that the batch
// there has that offset.
//
// Thread safety: thread-safe and wait-free.
class ReadEnds {
 public:
  // The segment begins at `base_offset`.
  explicit ReadEnds(int64_t base_offset) : base_offset_(base_offset) {}

  // The place at which a read ended whose next offset is `offset`; nothing when
  // none did.
  std::optional<BatchPlace> Find(int64_t offset) const;

  // Notes that a read from `offset` on ended at `end`, the place after its last
  // batch.
  void Note(int64_t offset, const BatchPlace& end);

 private:
  static constexpr size_t kSlots = 8;

  // The slot of that offset, kSlots when there is none.
  size_t SlotOf(int64_t offset) const;

  const int64_t base_offset_;

  // A slot is one word, so that no reader sees half of one: the offset relative
  // to the segment's in the high 32 bits, the position in the low ones; 0 when
  // it is free, since no read ends at position 0.
  //
  // Memory ordering: relaxed; a slot does not depend on other values, and its
  // position lies in bytes that its reader acquires by itself.
  std::array<std::atomic<uint64_t>, kSlots> slots_ = {};
  // The slot that a new reader takes. Memory ordering: relaxed; a count.
  std::atomic<uint32_t> next_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_READ_ENDS_H_
