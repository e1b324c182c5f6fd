// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/compaction_policy.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "varve/log/compaction/cleanable_range.h"
#include "varve/log/compaction/compaction_segment.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

// Segments of ten offsets and 100 bytes; the first batch of the first one is of
// time 1000, of the second 2000, and so on; at 10,000 ms.
class CompactionPolicyTest : public ::testing::Test {
 protected:
  CompactionPolicyTest() {
    for (int64_t i = 0; i < 5; ++i) {
      segments_.push_back({.base_offset = 10 * i,
                           .size_bytes = 100,
                           .max_timestamp_ms = 1000 * (i + 1) + 500,
                           .first_timestamp_ms = 1000 * (i + 1)});
    }
    inputs_ = {.log_end = 50,
               .checkpoint = 20,
               .recovery_point = 50,
               .last_stable_offset = 50,
               .now_ms = 10'000};
    limits_.cleanup_policy = CleanupPolicy::kCompact;
  }

  CompactionDecision Decide() {
    inputs_.segments = segments_;
    return DecideCompaction(inputs_, limits_);
  }

  std::vector<CompactionSegment> segments_;
  CompactionInputs inputs_;
  CompactionLimits limits_;
};

TEST_F(CompactionPolicyTest, TheDirtyRatioHasToBeAboveTheLimit) {
  ASSERT_EQ(Decide().range.dirty_ratio(), 0.5);
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
  EXPECT_FALSE(Decide().is_due());
  limits_.min_cleanable_dirty_ratio = 0.499;
  EXPECT_EQ(Decide().due, CompactionDue::kDirty);
  EXPECT_TRUE(Decide().is_due());
}

TEST_F(CompactionPolicyTest, ARatioOfZeroCompactsWhateverIsDirty) {
  limits_.min_cleanable_dirty_ratio = 0;
  EXPECT_EQ(Decide().due, CompactionDue::kDirty);
  inputs_.checkpoint = 40;
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
}

TEST_F(CompactionPolicyTest, ARatioOfOneWaitsForTheLag) {
  inputs_.checkpoint = 0;
  limits_.min_cleanable_dirty_ratio = 1;
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
}

TEST_F(CompactionPolicyTest, ATopicThatOnlyDeletesIsNotCompacted) {
  limits_ = {.min_cleanable_dirty_ratio = 0};
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
  EXPECT_EQ(Decide().range, CleanableRange());
  limits_.cleanup_policy = CleanupPolicy::kCompactAndDelete;
  EXPECT_EQ(Decide().due, CompactionDue::kDirty);
}

TEST_F(CompactionPolicyTest, ADirtySegmentOlderThanTheLagIsOverdue) {
  // The first that is dirty has a first batch of 3,000 ms.
  limits_.max_compaction_lag_ms = 7000;
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
  limits_.max_compaction_lag_ms = 6999;
  EXPECT_EQ(Decide().due, CompactionDue::kOverdue);
}

TEST_F(CompactionPolicyTest, WhatIsCleanIsNeverOverdue) {
  inputs_.checkpoint = 30;
  limits_.max_compaction_lag_ms = 6500;
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
  // One that is clean in part is dirty.
  inputs_.checkpoint = 29;
  EXPECT_EQ(Decide().due, CompactionDue::kOverdue);
}

TEST_F(CompactionPolicyTest, TheLastSegmentIsNeverOverdue) {
  inputs_.checkpoint = 30;
  segments_[4].first_timestamp_ms = 1;
  limits_.max_compaction_lag_ms = 9000;
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
}

TEST_F(CompactionPolicyTest, TimestampsOfZeroAndNoneSayNothing) {
  limits_.max_compaction_lag_ms = 8000;
  segments_[2].first_timestamp_ms = 0;
  segments_[3].first_timestamp_ms = -1;
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
}

TEST_F(CompactionPolicyTest, NothingIsOverdueThatCannotBeCleaned) {
  limits_.max_compaction_lag_ms = 1;
  inputs_.last_stable_offset = 25;
  EXPECT_EQ(Decide().due, CompactionDue::kNo);
}

TEST_F(CompactionPolicyTest, TheLimitsAreThoseOfTheTopic) {
  LogConfig config;
  config.cleanup_policy = CleanupPolicy::kCompactAndDelete;
  config.min_compaction_lag_ms = 5;
  config.max_compaction_lag_ms = 6;
  config.min_cleanable_dirty_ratio = 0.25;
  const CompactionLimits limits = CompactionLimits::Of(config);
  EXPECT_EQ(limits.cleanup_policy, CleanupPolicy::kCompactAndDelete);
  EXPECT_EQ(limits.min_compaction_lag_ms, 5);
  EXPECT_EQ(limits.max_compaction_lag_ms, 6);
  EXPECT_EQ(limits.min_cleanable_dirty_ratio, 0.25);
}

TEST_F(CompactionPolicyTest, TheMinimumLagEndsTheRange) {
  limits_.min_compaction_lag_ms = 6000;
  EXPECT_EQ(Decide().range.end, 30);
}

}  // namespace
}  // namespace varve
