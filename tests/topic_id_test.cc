// SPDX-License-Identifier: Apache-2.0

#include "log/topic_id.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

// 4b1e2c6a-0f3d-4e57-9a8b-112233445566.
constexpr TopicId kId(0x4b1e2c6a0f3d4e57, 0x9a8b112233445566);

TEST(TopicIdTest, TextIsKafkas) {
  EXPECT_EQ(kId.ToText(), "Sx4sag89TleaixEiM0RVZg");
  EXPECT_THAT(TopicId::FromText("Sx4sag89TleaixEiM0RVZg"), IsOkAndHolds(kId));
  EXPECT_EQ(TopicId().ToText(), std::string(22, 'A'));
  EXPECT_TRUE(TopicId().is_none());
}

TEST(TopicIdTest, RandomIdsAreVersion4AndDoNotBeginWithAMinus) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const TopicId id = TopicId::FromRandom(random(), random());
    EXPECT_EQ(id.high() & 0xf000, 0x4000u);
    EXPECT_EQ(id.low() >> 62, 2u);
    EXPECT_NE(id.ToText()[0], '-');
    EXPECT_THAT(TopicId::FromText(id.ToText()), IsOkAndHolds(id));
  }
  for (uint64_t high : {uint64_t{0}, ~uint64_t{0}, uint64_t{62} << 58}) {
    EXPECT_NE(TopicId::FromRandom(high, 0).ToText()[0], '-');
    EXPECT_FALSE(TopicId::FromRandom(high, 0).is_none());
  }
}

TEST(TopicIdTest, OtherTextsAreRefused) {
  for (std::string_view text :
       {"", "Sx4sag89TleaixEiM0RVZ", "Sx4sag89TleaixEiM0RVZgA",
        "Sx4sag89TleaixEiM0RVZh",  // Bits behind the 128th.
        "Sx4sag89TleaixEiM0RV+g",
        "Sx4sag89TleaixEiM0RVZ=", "Sx4sag89TleaixEiM0RV g"}) {
    EXPECT_THAT(TopicId::FromText(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
}

TEST(TopicIdTest, PartitionMetadataIsKafkas) {
  const std::string text = FormatPartitionMetadata(kId);
  EXPECT_EQ(text, "version: 0\ntopic_id: Sx4sag89TleaixEiM0RVZg");
  EXPECT_THAT(ParsePartitionMetadata(text), IsOkAndHolds(kId));
  EXPECT_THAT(ParsePartitionMetadata(text + "\n"), IsOkAndHolds(kId));
  EXPECT_THAT(
      ParsePartitionMetadata("version: 1\ntopic_id: Sx4sag89TleaixEiM0RVZg"),
      IsOkAndHolds(kId));
}

struct BadText {
  std::string_view text;
  std::string_view error;
};

TEST(TopicIdTest, DamagedPartitionMetadataIsReportedWithItsLine) {
  const BadText kTexts[] = {
      {"", "line 1: not \"version: \""},
      {"version 0\ntopic_id: Sx4sag89TleaixEiM0RVZg", "line 1: "},
      {"version: x\ntopic_id: Sx4sag89TleaixEiM0RVZg", "line 1: "},
      {"version: -1\ntopic_id: Sx4sag89TleaixEiM0RVZg", "line 1: "},
      {"version: 0", "line 2: "},
      {"version: 0\n\n", "line 2: "},
      {"version: 0\ntopic: Sx4sag89TleaixEiM0RVZg", "line 2: "},
      {"version: 0\ntopic_id: Sx4sag89TleaixEiM0RVZ", "line 2: a topic id is"},
      {"version: 0\ntopic_id: Sx4sag89TleaixEiM0RVZg\n\n", "line 2: "},
      {"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA", "line 2: the topic id"},
  };
  for (const BadText& bad : kTexts) {
    EXPECT_THAT(ParsePartitionMetadata(bad.text),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr(std::string(bad.error))))
        << bad.text;
  }
}

}  // namespace
}  // namespace varve
