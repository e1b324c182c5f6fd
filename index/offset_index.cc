// SPDX-License-Identifier: Apache-2.0

#include "varve/index/offset_index.h"

#include <cstdint>
#include <limits>

#include "absl/log/absl_check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/index/big_endian.h"
#include "varve/index/warm_search.h"

namespace varve {
namespace {

constexpr int64_t kFieldMax = std::numeric_limits<int32_t>::max();
constexpr int kPositionField = 4;

}  // namespace

OffsetIndex::OffsetIndex(int64_t base_offset, absl::Span<char> bytes,
                         int64_t entry_count)
    : base_offset_(base_offset),
      entries_(bytes.data()),
      capacity_(static_cast<int64_t>(bytes.size()) / kEntrySize),
      entry_count_(entry_count) {
  ABSL_CHECK_GE(base_offset, 0);
  ABSL_CHECK_GE(entry_count, 0);
  ABSL_CHECK_LE(entry_count, capacity_);
}

absl::Status OffsetIndex::Append(int64_t offset, int64_t position) {
  const int64_t count = entry_count_.load(std::memory_order_relaxed);
  if (count >= capacity_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the offset index is full, with ", count, " entries"));
  }
  if (offset < base_offset_ || offset - base_offset_ > kFieldMax) {
    return absl::OutOfRangeError(
        absl::StrCat("offset ", offset, " is not within 2^31-1 above ",
                     base_offset_, ", the base offset of its index"));
  }
  if (position < 0 || position > kFieldMax) {
    return absl::OutOfRangeError(
        absl::StrCat("position ", position, " is not within 0 to 2^31-1"));
  }
  if (count > 0) {
    const OffsetPosition last = EntryAt(count - 1);
    if (offset <= last.offset || position <= last.position) {
      return absl::InvalidArgumentError(absl::StrCat(
          "offset ", offset, " at position ", position,
          " does not lie after the last entry of its index, offset ",
          last.offset, " at position ", last.position));
    }
  }
  char* const at = entries_ + count * kEntrySize;
  StoreBig32(at, static_cast<int32_t>(offset - base_offset_));
  StoreBig32(at + kPositionField, static_cast<int32_t>(position));
  entry_count_.store(count + 1, std::memory_order_release);
  return absl::OkStatus();
}

OffsetPosition OffsetIndex::Lookup(int64_t offset) const {
  const int64_t found = CountUpTo(offset, entry_count());
  if (found == 0) return {.offset = base_offset_, .position = 0};
  return EntryAt(found - 1);
}

void OffsetIndex::Truncate(int64_t offset) {
  // "Less than" rather than "up to one less": there is no offset below the
  // least integer.
  const int64_t count = entry_count_.load(std::memory_order_relaxed);
  int64_t kept = CountUpTo(offset, count);
  if (kept > 0 && EntryAt(kept - 1).offset == offset) --kept;
  entry_count_.store(kept, std::memory_order_release);
}

absl::Status OffsetIndex::SanityCheck() const {
  const int64_t count = entry_count();
  OffsetPosition last = {.offset = base_offset_ - 1, .position = -1};
  for (int64_t i = 0; i < count; ++i) {
    const OffsetPosition entry = EntryAt(i);
    if (entry.offset <= last.offset || entry.position <= last.position) {
      return absl::DataLossError(absl::StrCat(
          "entry ", i, " of the offset index, offset ", entry.offset,
          " at position ", entry.position, ", does not lie after offset ",
          last.offset, " at position ", last.position));
    }
    last = entry;
  }
  return absl::OkStatus();
}

OffsetPosition OffsetIndex::last_entry() const {
  const int64_t count = entry_count();
  if (count == 0) return {.offset = base_offset_, .position = 0};
  return EntryAt(count - 1);
}

OffsetPosition OffsetIndex::entry(int64_t i) const {
  ABSL_CHECK_GE(i, 0);
  ABSL_CHECK_LT(i, entry_count());
  return EntryAt(i);
}

OffsetPosition OffsetIndex::EntryAt(int64_t i) const {
  const char* const at = entries_ + i * kEntrySize;
  // Unsigned, because a damaged entry may lie beyond the largest offset.
  const uint64_t offset = static_cast<uint64_t>(base_offset_) +
                          static_cast<uint64_t>(int64_t{LoadBig32(at)});
  return {.offset = static_cast<int64_t>(offset),
          .position = LoadBig32(at + kPositionField)};
}

// How many of the first `count` entries have an offset up to `offset`.
int64_t OffsetIndex::CountUpTo(int64_t offset, int64_t count) const {
  return CountWarmFirst<kWarmBytes / kEntrySize>(
      count, [&](int64_t i) { return EntryAt(i).offset <= offset; });
}

}  // namespace varve
