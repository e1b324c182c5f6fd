// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/segment_groups.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/compaction/compaction_segment.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();

// Segments of ten offsets, of these sizes.
std::vector<CompactionSegment> OfSizes(const std::vector<int64_t>& sizes) {
  std::vector<CompactionSegment> segments;
  for (const int64_t size : sizes) {
    segments.push_back(
        {.base_offset = 10 * static_cast<int64_t>(segments.size()),
         .size_bytes = size,
         .offset_index_bytes = 8,
         .time_index_bytes = 12});
  }
  return segments;
}

SegmentGroupLimits Limits(const std::vector<CompactionSegment>& segments) {
  return {.segment_bytes = 100,
          .segment_index_bytes = 1000,
          .end = 10 * static_cast<int64_t>(segments.size())};
}

TEST(SegmentGroupsTest, NoSegmentsMakeNoGroup) {
  EXPECT_THAT(GroupSegments({}, {}), IsEmpty());
}

TEST(SegmentGroupsTest, SegmentsJoinUpToTheirLimit) {
  const auto segments = OfSizes({40, 60, 1, 99, 1, 30});
  EXPECT_THAT(
      GroupSegments(segments, Limits(segments)),
      ElementsAre(SegmentGroup{0, 2}, SegmentGroup{2, 2}, SegmentGroup{4, 2}));
}

TEST(SegmentGroupsTest, ALargeSegmentIsAlone) {
  const auto segments = OfSizes({10, 101, 10});
  EXPECT_THAT(
      GroupSegments(segments, Limits(segments)),
      ElementsAre(SegmentGroup{0, 1}, SegmentGroup{1, 1}, SegmentGroup{2, 1}));
}

TEST(SegmentGroupsTest, EitherIndexEndsAGroup) {
  auto segments = OfSizes({10, 10, 10});
  SegmentGroupLimits limits = Limits(segments);
  limits.segment_index_bytes = 24;
  EXPECT_THAT(GroupSegments(segments, limits),
              ElementsAre(SegmentGroup{0, 2}, SegmentGroup{2, 1}));
  for (CompactionSegment& segment : segments) {
    segment.offset_index_bytes = 12;
    segment.time_index_bytes = 0;
  }
  EXPECT_THAT(GroupSegments(segments, limits),
              ElementsAre(SegmentGroup{0, 2}, SegmentGroup{2, 1}));
}

TEST(SegmentGroupsTest, OffsetsOfAGroupFitAnInt32) {
  auto segments = OfSizes({10, 10, 10});
  segments[0].base_offset = 5;
  SegmentGroupLimits limits = Limits(segments);
  // The last offset of the second is one less than the third's base.
  segments[2].base_offset = 5 + kInt32Max + 1;
  limits.end = segments[2].base_offset + 10;
  EXPECT_THAT(GroupSegments(segments, limits),
              ElementsAre(SegmentGroup{0, 2}, SegmentGroup{2, 1}));
  ++segments[2].base_offset;
  limits.end = segments[2].base_offset + 1;
  EXPECT_THAT(GroupSegments(segments, limits),
              ElementsAre(SegmentGroup{0, 1}, SegmentGroup{1, 2}));
}

TEST(SegmentGroupsTest, TheEndIsTheLastOneSEnd) {
  const auto segments = OfSizes({10, 10});
  SegmentGroupLimits limits = Limits(segments);
  limits.end = kInt32Max + 1;
  EXPECT_THAT(GroupSegments(segments, limits), ElementsAre(SegmentGroup{0, 2}));
  ++limits.end;
  EXPECT_THAT(GroupSegments(segments, limits),
              ElementsAre(SegmentGroup{0, 1}, SegmentGroup{1, 1}));
}

TEST(SegmentGroupsTest, ASegmentWithoutRecordsJoinsFromAnyDistance) {
  auto segments = OfSizes({10, 0, 10});
  segments[1].base_offset = kInt32Max;
  segments[2].base_offset = 3 * kInt32Max;
  SegmentGroupLimits limits = Limits(segments);
  limits.end = segments[2].base_offset + 10;
  EXPECT_THAT(GroupSegments(segments, limits),
              ElementsAre(SegmentGroup{0, 2}, SegmentGroup{2, 1}));
}

}  // namespace
}  // namespace varve
