// SPDX-License-Identifier: Apache-2.0

#include "varve/index/time_index.h"

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

constexpr int64_t kRelativeOffsetMax = std::numeric_limits<int32_t>::max();
constexpr int kOffsetField = 8;

}  // namespace

TimeIndex::TimeIndex(int64_t base_offset, absl::Span<char> bytes,
                     int64_t entry_count)
    : base_offset_(base_offset),
      entries_(bytes.data()),
      capacity_(static_cast<int64_t>(bytes.size()) / kEntrySize),
      entry_count_(entry_count) {
  ABSL_CHECK_GE(base_offset, 0);
  ABSL_CHECK_GE(entry_count, 0);
  ABSL_CHECK_LE(entry_count, capacity_);
}

absl::Status TimeIndex::MaybeAppend(int64_t timestamp_ms, int64_t offset,
                                    Slot slot) {
  const int64_t count = entry_count_.load(std::memory_order_relaxed);
  const TimestampOffset last = last_entry();
  if (timestamp_ms <= last.timestamp_ms) return absl::OkStatus();
  if (count >= (slot == Slot::kFinal ? capacity_ : capacity_ - 1)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the time index is full, with ", count, " entries"));
  }
  if (offset < base_offset_ || offset - base_offset_ > kRelativeOffsetMax) {
    return absl::OutOfRangeError(
        absl::StrCat("offset ", offset, " is not within 2^31-1 above ",
                     base_offset_, ", the base offset of its index"));
  }
  if (offset < last.offset) {
    return absl::InvalidArgumentError(
        absl::StrCat("offset ", offset, " with timestamp ", timestamp_ms,
                     " lies before the last entry of its index, offset ",
                     last.offset, " with timestamp ", last.timestamp_ms));
  }
  char* const at = entries_ + count * kEntrySize;
  StoreBig64(at, timestamp_ms);
  StoreBig32(at + kOffsetField, static_cast<int32_t>(offset - base_offset_));
  entry_count_.store(count + 1, std::memory_order_release);
  return absl::OkStatus();
}

TimestampOffset TimeIndex::Lookup(int64_t timestamp_ms) const {
  return LookupPair(timestamp_ms).found;
}

TimeIndex::Pair TimeIndex::LookupPair(int64_t timestamp_ms) const {
  const TimestampOffset none = {.timestamp_ms = -1, .offset = base_offset_};
  const int64_t count = CountUpTo(timestamp_ms, entry_count());
  return {.found = count > 0 ? EntryAt(count - 1) : none,
          .before = count > 1 ? EntryAt(count - 2) : none};
}

void TimeIndex::Truncate(int64_t offset) {
  // Counts from the end, because offsets may repeat and few entries are ever
  // dropped.
  int64_t kept = entry_count_.load(std::memory_order_relaxed);
  while (kept > 0 && EntryAt(kept - 1).offset >= offset) --kept;
  entry_count_.store(kept, std::memory_order_release);
}

absl::Status TimeIndex::SanityCheck() const {
  const int64_t count = entry_count();
  TimestampOffset last = {.timestamp_ms = -1, .offset = base_offset_};
  for (int64_t i = 0; i < count; ++i) {
    const TimestampOffset entry = EntryAt(i);
    if (entry.timestamp_ms <= last.timestamp_ms || entry.offset < last.offset) {
      return absl::DataLossError(
          absl::StrCat("entry ", i, " of the time index, offset ", entry.offset,
                       " with timestamp ", entry.timestamp_ms,
                       ", does not lie after offset ", last.offset,
                       " with timestamp ", last.timestamp_ms));
    }
    last = entry;
  }
  return absl::OkStatus();
}

TimestampOffset TimeIndex::last_entry() const {
  const int64_t count = entry_count();
  if (count == 0) return {.timestamp_ms = -1, .offset = base_offset_};
  return EntryAt(count - 1);
}

TimestampOffset TimeIndex::entry(int64_t i) const {
  ABSL_CHECK_GE(i, 0);
  ABSL_CHECK_LT(i, entry_count());
  return EntryAt(i);
}

TimestampOffset TimeIndex::EntryAt(int64_t i) const {
  const char* const at = entries_ + i * kEntrySize;
  // Unsigned, because a damaged entry may lie beyond the largest offset.
  const uint64_t offset =
      static_cast<uint64_t>(base_offset_) +
      static_cast<uint64_t>(int64_t{LoadBig32(at + kOffsetField)});
  return {.timestamp_ms = LoadBig64(at),
          .offset = static_cast<int64_t>(offset)};
}

// How many of the first `count` entries have a timestamp up to `timestamp_ms`.
int64_t TimeIndex::CountUpTo(int64_t timestamp_ms, int64_t count) const {
  return CountWarmFirst<kWarmBytes / kEntrySize>(count, [&](int64_t i) {
    return EntryAt(i).timestamp_ms <= timestamp_ms;
  });
}

}  // namespace varve
