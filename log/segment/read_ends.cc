// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/read_ends.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/log/check.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {
namespace {

constexpr int64_t kMax = std::numeric_limits<uint32_t>::max();

int64_t RelativeOffset(uint64_t slot) {
  return static_cast<int64_t>(slot >> 32);
}
int64_t Position(uint64_t slot) {
  return static_cast<int64_t>(slot & 0xffffffff);
}

}  // namespace

size_t ReadEnds::SlotOf(int64_t offset) const {
  for (size_t i = 0; i < kSlots; ++i) {
    const uint64_t slot = slots_[i].load(std::memory_order_relaxed);
    if (slot != 0 && RelativeOffset(slot) == offset - base_offset_) return i;
  }
  return kSlots;
}

std::optional<BatchPlace> ReadEnds::Find(int64_t offset) const {
  const size_t i = SlotOf(offset);
  if (i == kSlots) return std::nullopt;
  // Another reader may have moved it meanwhile.
  const uint64_t slot = slots_[i].load(std::memory_order_relaxed);
  if (RelativeOffset(slot) != offset - base_offset_) return std::nullopt;
  return BatchPlace{.position = Position(slot), .base_offset = offset};
}

void ReadEnds::Note(int64_t offset, const BatchPlace& end) {
  const int64_t relative = end.base_offset - base_offset_;
  // A header may say anything where it is not verified.
  if (relative < 0 || relative > kMax || end.position > kMax) return;
  DCHECK_GT(end.position, 0);
  const uint64_t slot = static_cast<uint64_t>(relative) << 32 |
                        static_cast<uint64_t>(end.position);
  size_t i = SlotOf(end.base_offset);
  if (i == kSlots) i = SlotOf(offset);
  if (i == kSlots) i = next_.fetch_add(1, std::memory_order_relaxed) % kSlots;
  // Reads that are repeated change nothing, so readers share the cache line.
  if (slots_[i].load(std::memory_order_relaxed) != slot)
    slots_[i].store(slot, std::memory_order_relaxed);
}

}  // namespace varve
