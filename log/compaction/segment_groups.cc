// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/segment_groups.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/types/span.h"
#include "varve/log/compaction/compaction_segment.h"

namespace varve {
namespace {

constexpr int64_t kRelativeOffsetMax = std::numeric_limits<int32_t>::max();

// What a group holds so far.
struct GroupSize {
  int64_t log_bytes = 0;
  int64_t offset_index_bytes = 0;
  int64_t time_index_bytes = 0;

  void Add(const CompactionSegment& segment) {
    log_bytes += segment.size_bytes;
    offset_index_bytes += segment.offset_index_bytes;
    time_index_bytes += segment.time_index_bytes;
  }

  bool Fits(const SegmentGroupLimits& limits) const {
    return log_bytes <= limits.segment_bytes &&
           offset_index_bytes <= limits.segment_index_bytes &&
           time_index_bytes <= limits.segment_index_bytes;
  }
};

}  // namespace

std::vector<SegmentGroup> GroupSegments(
    absl::Span<const CompactionSegment> segments,
    const SegmentGroupLimits& limits) {
  std::vector<SegmentGroup> groups;
  GroupSize size;
  for (size_t i = 0; i < segments.size(); ++i) {
    const CompactionSegment& segment = segments[i];
    const int64_t last_offset =
        (i + 1 < segments.size() ? segments[i + 1].base_offset : limits.end) -
        1;
    GroupSize joined = size;
    joined.Add(segment);
    if (!groups.empty() && joined.Fits(limits) &&
        (segment.size_bytes == 0 ||
         last_offset - segments[groups.back().first].base_offset <=
             kRelativeOffsetMax)) {
      ++groups.back().count;
      size = joined;
      continue;
    }
    groups.push_back({.first = i, .count = 1});
    size = {};
    size.Add(segment);
  }
  return groups;
}

}  // namespace varve
