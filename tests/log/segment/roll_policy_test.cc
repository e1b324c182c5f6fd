// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/roll_policy.h"

#include <cstdint>
#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
constexpr RollLimits kLimits = {.segment_bytes = 1000, .segment_ms = 100};

// A segment and a batch that fit each other.
RollInputs Fitting() {
  return {.segment_size = 500,
          .base_offset = 10,
          .first_batch_max_timestamp_ms = 5000,
          .created_ms = 4000,
          .batch_size = 200,
          .batch_last_offset = 20,
          .batch_max_timestamp_ms = 5050,
          .now_ms = 4050};
}

TEST(RollPolicyTest, BatchThatFitsDoesNotRoll) {
  EXPECT_EQ(ShouldRoll(Fitting(), kLimits), RollReason::kNone);
}

// Every combination of the reasons for a roll: the first reason that holds is
// given, and none for an empty segment.
TEST(RollPolicyTest, FirstReasonThatHoldsIsGivenInAllCombinations) {
  for (int bits = 0; bits < 64; ++bits) {
    RollInputs inputs = Fitting();
    RollReason expected = RollReason::kNone;
    const auto when = [&](int bit, RollReason reason) {
      if ((bits & (1 << bit)) == 0) return false;
      if (expected == RollReason::kNone) expected = reason;
      return true;
    };
    if (when(0, RollReason::kSize)) inputs.batch_size = 501;
    if (when(1, RollReason::kTime)) inputs.batch_max_timestamp_ms = 5101;
    if (when(2, RollReason::kOffsetIndexFull)) inputs.offset_index_full = true;
    if (when(3, RollReason::kTimeIndexFull)) inputs.time_index_full = true;
    if (when(4, RollReason::kOffsetRange)) {
      inputs.batch_last_offset = 11 + kInt32Max;
    }
    if ((bits & 32) != 0) {
      inputs.segment_size = 0;
      expected = RollReason::kNone;
    }
    EXPECT_EQ(ShouldRoll(inputs, kLimits), expected) << bits;
  }
}

TEST(RollPolicyTest, SegmentIsFilledToItsLastByte) {
  RollInputs inputs = Fitting();
  inputs.batch_size = 500;
  EXPECT_EQ(ShouldRoll(inputs, kLimits), RollReason::kNone);
  inputs.batch_size = 501;
  EXPECT_EQ(ShouldRoll(inputs, kLimits), RollReason::kSize);
}

struct TimeCase {
  std::string condition;
  int64_t first;
  int64_t batch;
  int64_t created;
  int64_t now;
  RollReason expected;
};

TEST(RollPolicyTest, TimeIsThatOfRecordsOrElseTheWallClocks) {
  const TimeCase kCases[] = {
      {"waited exactly segment.ms", 5000, 5100, 0, 0, RollReason::kNone},
      {"waited longer", 5000, 5101, 0, 0, RollReason::kTime},
      {"first record at time 0", 0, 101, 0, 0, RollReason::kTime},
      {"wall clock does not count then", 5000, 5000, 0, 9999,
       RollReason::kNone},
      {"batch is older than the first", 5000, 10, 0, 9999, RollReason::kNone},
      {"batch has no timestamp", 5000, -1, 0, 9999, RollReason::kNone},
      {"no timestamp: waited exactly", -1, 99999, 4000, 4100,
       RollReason::kNone},
      {"no timestamp: waited longer", -1, -1, 4000, 4101, RollReason::kTime},
      {"no timestamp: clock set back", -1, -1, 4000, 3000, RollReason::kNone},
      {"largest", 0, kInt64Max, 0, 0, RollReason::kTime},
      {"least", kInt64Max, kInt64Min, 0, 0, RollReason::kNone},
      {"least clocks", -1, 0, 0, kInt64Min, RollReason::kNone},
  };
  for (const TimeCase& c : kCases) {
    RollInputs inputs = Fitting();
    inputs.first_batch_max_timestamp_ms = c.first;
    inputs.batch_max_timestamp_ms = c.batch;
    inputs.created_ms = c.created;
    inputs.now_ms = c.now;
    EXPECT_EQ(ShouldRoll(inputs, kLimits), c.expected) << c.condition;
  }
}

TEST(RollPolicyTest, OffsetsUpTo2To31Minus1AboveTheBaseFit) {
  RollInputs inputs = Fitting();
  for (int64_t base : {int64_t{0}, kInt64Max - kInt32Max - 1}) {
    inputs.base_offset = base;
    inputs.batch_last_offset = base + kInt32Max;
    EXPECT_EQ(ShouldRoll(inputs, kLimits), RollReason::kNone);
    inputs.batch_last_offset = base + kInt32Max + 1;
    EXPECT_EQ(ShouldRoll(inputs, kLimits), RollReason::kOffsetRange);
    inputs.batch_last_offset = base - 1;
    EXPECT_EQ(ShouldRoll(inputs, kLimits), RollReason::kOffsetRange);
  }
}

RollHorizon PlaceOf(const RollInputs& inputs) {
  return {.segment_size = inputs.segment_size + inputs.batch_size,
          .batch_last_offset = inputs.batch_last_offset,
          .batch_max_timestamp_ms = inputs.batch_max_timestamp_ms,
          .now_ms = inputs.now_ms};
}

// The horizon says of each batch what the policy says, around every limit.
TEST(RollPolicyTest, HorizonIncludesExactlyTheBatchesThatDoNotRoll) {
  for (const int64_t first : {int64_t{-1}, int64_t{0}, int64_t{5000}}) {
    for (const int64_t created : {int64_t{-1}, int64_t{4000}}) {
      RollInputs inputs = Fitting();
      inputs.first_batch_max_timestamp_ms = first;
      inputs.created_ms = created;
      const RollHorizon horizon = HorizonOf(inputs, kLimits);
      for (const int64_t size : {1, 500, 501}) {
        for (const int64_t offset :
             {int64_t{20}, 10 + kInt32Max, 11 + kInt32Max}) {
          for (const int64_t time : {-1, 100, 101, 5100, 5101}) {
            for (const int64_t now : {3000, 4100, 4101}) {
              inputs.batch_size = size;
              inputs.batch_last_offset = offset;
              inputs.batch_max_timestamp_ms = time;
              inputs.now_ms = now;
              EXPECT_EQ(horizon.Includes(PlaceOf(inputs)),
                        ShouldRoll(inputs, kLimits) == RollReason::kNone)
                  << first << ' ' << created << ' ' << size << ' ' << offset
                  << ' ' << time << ' ' << now;
            }
          }
        }
      }
    }
  }
}

TEST(RollPolicyTest, HorizonAtTheLargestNumbersSaturates) {
  RollInputs inputs = Fitting();
  inputs.base_offset = kInt64Max - 5;
  inputs.batch_last_offset = kInt64Max - 1;
  inputs.first_batch_max_timestamp_ms = kInt64Max - 5;
  inputs.batch_max_timestamp_ms = kInt64Max;
  EXPECT_TRUE(HorizonOf(inputs, kLimits).Includes(PlaceOf(inputs)));
}

TEST(RollPolicyTest, NothingIsWithinTheHorizonOfAnEmptySegmentOrAFullIndex) {
  const RollHorizon here = PlaceOf(Fitting());
  EXPECT_TRUE(HorizonOf(Fitting(), kLimits).Includes(here));
  EXPECT_FALSE(RollHorizon().Includes(here));
  RollInputs inputs = Fitting();
  inputs.segment_size = 0;
  EXPECT_FALSE(HorizonOf(inputs, kLimits).Includes(here));
  inputs = Fitting();
  inputs.offset_index_full = true;
  EXPECT_FALSE(HorizonOf(inputs, kLimits).Includes(here));
  inputs = Fitting();
  inputs.time_index_full = true;
  EXPECT_FALSE(HorizonOf(inputs, kLimits).Includes(here));
}

TEST(RollPolicyTest, EveryReasonHasAText) {
  for (int i = 0; i <= static_cast<int>(RollReason::kOffsetRange); ++i) {
    EXPECT_NE(RollReasonText(static_cast<RollReason>(i)), "unknown");
  }
}

}  // namespace
}  // namespace varve
