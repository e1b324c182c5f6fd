// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_SEGMENT_GROUPS_H_
#define VARVE_LOG_COMPACTION_SEGMENT_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "varve/log/compaction/compaction_segment.h"

namespace varve {

// Consecutive segments that compaction makes one of. That one has the base
// offset of the first.
struct SegmentGroup {
  size_t first = 0;  // of the segments that were grouped
  size_t count = 0;

  friend bool operator==(const SegmentGroup&, const SegmentGroup&) = default;
};

struct SegmentGroupLimits {
  int64_t segment_bytes = 0;        // segment.bytes
  int64_t segment_index_bytes = 0;  // segment.index.bytes
  // The base offset of the segment after them: `CleanableRange::end`.
  int64_t end = 0;
};

// Groups all segments, oldest first, so that logs do not fall into ever smaller
// ones. A segment joins the group before it when, by the sizes that they have
// now, the .logs together fit `segment_bytes` and the indexes of each kind
// `segment_index_bytes`, and the last offset is at most 2^31-1 above the
// group's base, which is what an index entry holds. One without records has no
// last offset. A segment that is larger than the limits is a group of its own.
//
// What is written may still be larger than what was read: a delete horizon
// makes timestamps longer, and a codec may compress worse. So the writer of the
// cleaned segment watches its size.
//
// Thread safety: a pure function.
std::vector<SegmentGroup> GroupSegments(
    absl::Span<const CompactionSegment> segments,
    const SegmentGroupLimits& limits);

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_SEGMENT_GROUPS_H_
