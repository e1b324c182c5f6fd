// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/cleanable_range.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "varve/log/compaction/compaction_segment.h"

namespace varve {
namespace {

using Segments = absl::Span<const CompactionSegment>;

// The segment that holds the offset, or would: the last one that begins at it
// or before; the first one, for what is before all.
size_t HolderOf(Segments segments, int64_t offset) {
  const auto after =
      std::upper_bound(segments.begin(), segments.end(), offset,
                       [](int64_t at, const CompactionSegment& s) {
                         return at < s.base_offset;
                       });
  return after == segments.begin()
             ? 0
             : static_cast<size_t>(after - segments.begin()) - 1;
}

bool IsYoung(const CompactionSegment& segment, int64_t limit_ms) {
  const int64_t time_ms = segment.max_timestamp_ms >= 0
                              ? segment.max_timestamp_ms
                              : segment.modified_ms;
  return time_ms < 0 || time_ms > limit_ms;
}

// The first segment from `dirty` on that is too young, or the last one.
size_t FirstYoung(Segments segments, size_t dirty, int64_t limit_ms) {
  size_t i = dirty;
  while (i + 1 < segments.size() && !IsYoung(segments[i], limit_ms)) ++i;
  return std::min(i, segments.size() - 1);
}

int64_t BytesOf(Segments segments, size_t from, size_t to) {
  int64_t bytes = 0;
  for (size_t i = from; i < to; ++i) bytes += segments[i].size_bytes;
  return bytes;
}

void SetFirstDirty(const CompactionInputs& inputs, CleanableRange& range) {
  range.first_dirty = inputs.checkpoint.value_or(inputs.log_start);
  range.is_checkpoint_wrong = range.first_dirty < inputs.log_start ||
                              range.first_dirty > inputs.log_end;
  if (range.is_checkpoint_wrong) range.first_dirty = inputs.log_start;
}

}  // namespace

CleanableRange FindCleanableRange(const CompactionInputs& inputs,
                                  int64_t min_compaction_lag_ms) {
  const Segments segments = inputs.segments;
  CHECK(!segments.empty());
  CHECK_GE(min_compaction_lag_ms, 0);
  CleanableRange range;
  SetFirstDirty(inputs, range);
  const size_t dirty = HolderOf(segments, range.first_dirty);
  size_t end = std::min({HolderOf(segments, inputs.last_stable_offset),
                         HolderOf(segments, inputs.recovery_point),
                         segments.size() - 1});
  if (min_compaction_lag_ms > 0) {
    end = std::min(end, FirstYoung(segments, dirty,
                                   inputs.now_ms - min_compaction_lag_ms));
  }
  range.end = segments[end].base_offset;
  range.segment_count = static_cast<int64_t>(end);
  // One that begins exactly there is dirty, and not clean.
  const size_t clean =
      segments[dirty].base_offset < range.first_dirty ? dirty + 1 : dirty;
  range.clean_bytes = BytesOf(segments, 0, clean);
  range.cleanable_bytes = BytesOf(segments, dirty, end);
  return range;
}

}  // namespace varve
