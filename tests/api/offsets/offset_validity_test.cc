// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/offset_validity.h"

#include <cstdint>
#include <optional>

#include "gtest/gtest.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

constexpr int64_t kCommitMs = 1'700'000'000'000;
const TopicId kNone;
// As random as Kafka's: they do not say when their topic was made.
const TopicId kTopic(0x4b1e2c6a0f3d4e57, 0x9a8b112233445566);
const TopicId kOther(0x4b1e2c6a0f3d4e57, 0x9a8b112233445567);

OffsetTable::Entry Entry(const OffsetOwner& topic_id) {
  return {
      .value = FormatOffsetCommitValue({.offset = 1,
                                        .commit_timestamp_ms = kCommitMs,
                                        .topic_id = topic_id.value_or(kNone)}),
      .topic_id = topic_id};
}

TEST(OffsetValidityTest, OwnerIsTheTopicThatTheValueNames) {
  EXPECT_EQ(OwnerOf(Entry(kTopic), kTopic), kTopic);
  EXPECT_EQ(OwnerOf(Entry(kTopic), kOther), kTopic);
  EXPECT_EQ(OwnerOf(Entry(kTopic), kNone), kTopic);
  EXPECT_EQ(OwnerOf(Entry(std::nullopt), kTopic), std::nullopt);
}

TEST(OffsetValidityTest, WithoutAnIdItIsTheTopicOfTheNameThatIsNotYounger) {
  EXPECT_EQ(OwnerOf(Entry(kNone), kTopic), kTopic);
  EXPECT_EQ(OwnerOf(Entry(kNone), kNone), kNone);
  const TopicId older = TopicId::Create(kCommitMs, 1, 2);
  const TopicId younger = TopicId::Create(kCommitMs + 1, 1, 2);
  EXPECT_EQ(OwnerOf(Entry(kNone), older), older);
  EXPECT_EQ(OwnerOf(Entry(kNone), younger), kNone);
}

TEST(OffsetValidityTest, OffsetCountsForItsOwnTopicAlone) {
  EXPECT_TRUE(OffsetCounts(kTopic, kTopic));
  EXPECT_FALSE(OffsetCounts(kTopic, kOther));
  EXPECT_FALSE(OffsetCounts(kNone, kTopic));
  EXPECT_FALSE(OffsetCounts(kTopic, kNone));
  EXPECT_TRUE(OffsetCounts(std::nullopt, kTopic));
  EXPECT_FALSE(OffsetCounts(std::nullopt, kNone));
}

TEST(OffsetValidityTest, OffsetOfNoTopicIsShownUnlessADeletionTakesIt) {
  const auto forgets = [](TopicId owner) { return owner == kTopic; };
  EXPECT_FALSE(OffsetIsShown(kTopic, kNone, forgets));
  EXPECT_TRUE(OffsetIsShown(kOther, kNone, forgets));
  EXPECT_TRUE(OffsetIsShown(kTopic, kTopic, forgets));
  EXPECT_FALSE(OffsetIsShown(kOther, kTopic, forgets));
  EXPECT_TRUE(OffsetIsShown(std::nullopt, kTopic, forgets));
}

TEST(OffsetValidityTest, OffsetIsSetBackToTheEndOfItsEpoch) {
  const LogBounds bounds = {.log_start = 3, .visible_end = 10};
  EXPECT_EQ(SetBackOffset(7, 7, bounds), std::nullopt);
  EXPECT_EQ(SetBackOffset(8, 7, bounds), 7);
  EXPECT_EQ(SetBackOffset(2, 1, bounds), 3);
  // The log does not know of the epoch.
  EXPECT_EQ(SetBackOffset(10, std::nullopt, bounds), std::nullopt);
  EXPECT_EQ(SetBackOffset(11, std::nullopt, bounds), 10);
}

}  // namespace
}  // namespace varve
