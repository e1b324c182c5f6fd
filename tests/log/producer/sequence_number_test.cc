// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/sequence_number.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr int32_t kMax = std::numeric_limits<int32_t>::max();

TEST(SequenceNumberTest, ZeroFollowsTheLargest) {
  EXPECT_EQ(SequenceAfter(0, 1), 1);
  EXPECT_EQ(SequenceAfter(kMax - 1, 1), kMax);
  EXPECT_EQ(SequenceAfter(kMax, 0), kMax);
  EXPECT_EQ(SequenceAfter(kMax, 1), 0);
  EXPECT_EQ(SequenceAfter(kMax - 2, 5), 2);
  EXPECT_EQ(SequenceAfter(kMax, kMax), kMax - 1);
}

TEST(SequenceNumberTest, FirstOneFollowsNone) {
  EXPECT_EQ(SequenceAfter(kNoSequence, 1), 0);
}

TEST(SequenceNumberTest, BatchWithoutSequencesHasNoLastOne) {
  EXPECT_EQ(LastSequence(-1, 9), kNoSequence);
  EXPECT_EQ(LastSequence(0, 0), 0);
  EXPECT_EQ(LastSequence(7, 9), 16);
  EXPECT_EQ(LastSequence(kMax, 1), 0);
}

TEST(SequenceNumberTest, BeforeIsTheShorterWayAround) {
  EXPECT_TRUE(IsBefore(0, 1));
  EXPECT_FALSE(IsBefore(1, 0));
  EXPECT_FALSE(IsBefore(5, 5));
  EXPECT_TRUE(IsBefore(kMax, 0));
  EXPECT_FALSE(IsBefore(0, kMax));
  EXPECT_TRUE(IsBefore(0, kMax / 2));
  EXPECT_FALSE(IsBefore(kMax / 2, 0));
}

}  // namespace
}  // namespace varve
