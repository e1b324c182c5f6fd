// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/cleanable_range.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "varve/log/compaction/compaction_segment.h"

namespace varve {
namespace {

// Segments of ten offsets, which begin at 0, 10, 20, 30 and 40; of 100, 200,
// 300, 400 and 500 bytes; whose largest timestamps are 1000, 2000 and so on.
class CleanableRangeTest : public ::testing::Test {
 protected:
  CleanableRangeTest() {
    for (int64_t i = 0; i < 5; ++i) {
      segments_.push_back({.base_offset = 10 * i,
                           .size_bytes = 100 * (i + 1),
                           .max_timestamp_ms = 1000 * (i + 1)});
    }
    inputs_ = {.log_end = 50,
               .recovery_point = 50,
               .last_stable_offset = 50,
               .now_ms = 10'000};
  }

  CleanableRange Find(int64_t min_compaction_lag_ms = 0) {
    inputs_.segments = segments_;
    return FindCleanableRange(inputs_, min_compaction_lag_ms);
  }

  std::vector<CompactionSegment> segments_;
  CompactionInputs inputs_;
};

TEST_F(CleanableRangeTest, WithoutACheckpointAllButTheLastSegmentIsDirty) {
  const CleanableRange range = Find();
  EXPECT_EQ(range.first_dirty, 0);
  EXPECT_EQ(range.end, 40);
  EXPECT_EQ(range.segment_count, 4);
  EXPECT_EQ(range.clean_bytes, 0);
  EXPECT_EQ(range.cleanable_bytes, 1000);
  EXPECT_FALSE(range.is_checkpoint_wrong);
  EXPECT_EQ(range.dirty_ratio(), 1.0);
}

TEST_F(CleanableRangeTest, WhatTheCheckpointSaysIsClean) {
  inputs_.checkpoint = 20;
  const CleanableRange range = Find();
  EXPECT_EQ(range.first_dirty, 20);
  EXPECT_EQ(range.clean_bytes, 300);
  EXPECT_EQ(range.cleanable_bytes, 700);
  EXPECT_EQ(range.dirty_ratio(), 0.7);
}

TEST_F(CleanableRangeTest, ASegmentThatIsCleanInPartCountsInBoth) {
  inputs_.checkpoint = 25;
  const CleanableRange range = Find();
  EXPECT_EQ(range.first_dirty, 25);
  EXPECT_EQ(range.clean_bytes, 600);
  EXPECT_EQ(range.cleanable_bytes, 700);
}

TEST_F(CleanableRangeTest, ACheckpointOutsideOfTheLogIsWrong) {
  inputs_.log_start = 15;
  for (const int64_t checkpoint : {int64_t{-1}, int64_t{14}, int64_t{51},
                                   std::numeric_limits<int64_t>::max()}) {
    inputs_.checkpoint = checkpoint;
    const CleanableRange range = Find();
    EXPECT_TRUE(range.is_checkpoint_wrong) << checkpoint;
    EXPECT_EQ(range.first_dirty, 15) << checkpoint;
  }
  for (const int64_t checkpoint : {15, 50}) {
    inputs_.checkpoint = checkpoint;
    EXPECT_FALSE(Find().is_checkpoint_wrong) << checkpoint;
    EXPECT_EQ(Find().first_dirty, checkpoint);
  }
}

TEST_F(CleanableRangeTest, TheSegmentOfTheLastStableOffsetStays) {
  inputs_.last_stable_offset = 29;
  EXPECT_EQ(Find().end, 20);
  EXPECT_EQ(Find().segment_count, 2);
  inputs_.last_stable_offset = 30;
  EXPECT_EQ(Find().end, 30);
  inputs_.last_stable_offset = 0;
  EXPECT_TRUE(Find().empty());
}

TEST_F(CleanableRangeTest, TheSegmentOfTheRecoveryPointStays) {
  inputs_.recovery_point = 29;
  EXPECT_EQ(Find().end, 20);
  inputs_.recovery_point = 30;
  EXPECT_EQ(Find().end, 30);
  inputs_.recovery_point = 0;
  EXPECT_TRUE(Find().empty());
}

TEST_F(CleanableRangeTest, AYoungSegmentStaysAndAllAfterIt) {
  // At 10,000 ms a lag of 8,000 ends at 2,000: that is not too young.
  EXPECT_EQ(Find(8000).end, 20);
  EXPECT_EQ(Find(8001).end, 10);
  EXPECT_EQ(Find(7999).end, 20);
  EXPECT_EQ(Find(std::numeric_limits<int64_t>::max()).end, 0);
  segments_[1].max_timestamp_ms = 9000;
  EXPECT_EQ(Find(5000).end, 10);
}

TEST_F(CleanableRangeTest, AYoungTimestampInWhatIsCleanHoldsNothingBack) {
  segments_[0].max_timestamp_ms = 9999;
  inputs_.checkpoint = 10;
  EXPECT_EQ(Find(5000).end, 40);
}

TEST_F(CleanableRangeTest, WithoutALagTimestampsDoNotCount) {
  segments_[0].max_timestamp_ms = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Find(0).end, 40);
}

TEST_F(CleanableRangeTest, ASegmentWithoutTimestampsIsAsOldAsItsFile) {
  segments_[1].max_timestamp_ms = -1;
  segments_[1].modified_ms = 9000;
  EXPECT_EQ(Find(5000).end, 10);
  segments_[1].modified_ms = 3000;
  EXPECT_EQ(Find(5000).end, 40);
  segments_[1].modified_ms = -1;
  EXPECT_EQ(Find(5000).end, 10);
}

TEST_F(CleanableRangeTest, NothingIsDirtyWhenAllBelowTheLastSegmentIsClean) {
  for (const int64_t checkpoint : {40, 45, 50}) {
    inputs_.checkpoint = checkpoint;
    const CleanableRange range = Find();
    EXPECT_TRUE(range.empty()) << checkpoint;
    EXPECT_EQ(range.dirty_ratio(), 0.0);
    EXPECT_EQ(range.first_dirty, checkpoint);
  }
}

TEST_F(CleanableRangeTest, NothingIsCleanedWhenTheRangeEndsBeforeItBegins) {
  inputs_.checkpoint = 35;
  inputs_.last_stable_offset = 12;
  const CleanableRange range = Find();
  EXPECT_TRUE(range.empty());
  EXPECT_EQ(range.end, 10);
}

TEST_F(CleanableRangeTest, ALogOfOneSegmentHasNothingToClean) {
  segments_.resize(1);
  inputs_.log_end = 10;
  const CleanableRange range = Find();
  EXPECT_TRUE(range.empty());
  EXPECT_EQ(range.segment_count, 0);
}

TEST_F(CleanableRangeTest, ALogThatWasTrimmedBeginsBelowItsStart) {
  segments_.erase(segments_.begin());
  inputs_.log_start = 17;
  const CleanableRange range = Find();
  EXPECT_EQ(range.first_dirty, 17);
  EXPECT_EQ(range.cleanable_bytes, 900);
  EXPECT_EQ(range.segment_count, 3);
}

}  // namespace
}  // namespace varve
