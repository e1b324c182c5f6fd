// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/index_file_search.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Reads entry `i`; nothing when the file ends before it.
template <typename Index, typename Entry>
absl::StatusOr<std::optional<Entry>> ReadEntry(File& file, int64_t base_offset,
                                               int64_t i) {
  std::array<char, Index::kEntrySize> bytes;
  const absl::Span<char> span(bytes.data(), bytes.size());
  absl::StatusOr<size_t> got = file.ReadAt(i * Index::kEntrySize, span);
  if (!got.ok()) return got.status();
  if (*got < bytes.size()) return std::nullopt;
  return Index(base_offset, span, 1).entry(0);
}

// How many entries at the front `holds` is true for, given that once it is
// false it stays false.
template <typename Index, typename Entry>
absl::StatusOr<int64_t> CountFront(
    File& file, int64_t base_offset,
    absl::FunctionRef<bool(const Entry&)> holds) {
  absl::StatusOr<int64_t> size = file.Size();
  if (!size.ok()) return size.status();
  int64_t low = 0;  // entries that hold
  int64_t high = *size / Index::kEntrySize;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    auto entry = ReadEntry<Index, Entry>(file, base_offset, middle);
    if (!entry.ok()) return entry.status();
    if (entry->has_value() && holds(**entry)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool IsInUse(const TimestampOffset& entry, int64_t base_offset) {
  return entry.timestamp_ms > 0 || entry.offset > base_offset;
}

}  // namespace

absl::StatusOr<std::optional<OffsetPosition>> FindOffsetEntry(
    File& index, int64_t base_offset, int64_t offset) {
  // The first batch has no entry, so a position of 0 is not in use.
  absl::StatusOr<int64_t> count = CountFront<OffsetIndex, OffsetPosition>(
      index, base_offset, [&](const OffsetPosition& entry) {
        return entry.position > 0 && entry.offset <= offset;
      });
  if (!count.ok()) return count.status();
  if (*count == 0) return std::nullopt;
  return ReadEntry<OffsetIndex, OffsetPosition>(index, base_offset, *count - 1);
}

absl::StatusOr<TimeIndex::Pair> FindTimeEntries(File& time_index,
                                                int64_t base_offset,
                                                int64_t timestamp_ms) {
  absl::StatusOr<int64_t> count = CountFront<TimeIndex, TimestampOffset>(
      time_index, base_offset, [&](const TimestampOffset& entry) {
        return IsInUse(entry, base_offset) &&
               entry.timestamp_ms <= timestamp_ms;
      });
  if (!count.ok()) return count.status();
  const TimestampOffset none = {.timestamp_ms = -1, .offset = base_offset};
  TimeIndex::Pair entries = {.found = none, .before = none};
  if (*count == 0) return entries;
  auto found = ReadEntry<TimeIndex, TimestampOffset>(time_index, base_offset,
                                                     *count - 1);
  if (!found.ok()) return found.status();
  entries.found = found->value_or(none);
  if (*count == 1) return entries;
  auto before = ReadEntry<TimeIndex, TimestampOffset>(time_index, base_offset,
                                                      *count - 2);
  if (!before.ok()) return before.status();
  entries.before = before->value_or(none);
  return entries;
}

absl::StatusOr<std::optional<TimestampOffset>> FindFinalTimeEntry(
    File& time_index, int64_t base_offset) {
  absl::StatusOr<int64_t> size = time_index.Size();
  if (!size.ok()) return size.status();
  if (*size == 0 || *size % TimeIndex::kEntrySize != 0) return std::nullopt;
  auto last = ReadEntry<TimeIndex, TimestampOffset>(
      time_index, base_offset, *size / TimeIndex::kEntrySize - 1);
  if (!last.ok() || !last->has_value()) return last;
  if (!IsInUse(**last, base_offset)) return std::nullopt;
  return last;
}

}  // namespace varve
