// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/topic_id.h"

#include <cstdint>
#include <optional>
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

// RFC 9562's example of version 7 has this time and these random bits.
TEST(TopicIdTest, NewIdIsAUuidOfVersion7) {
  const TopicId id = TopicId::Create(0x017F22E279B0, 0xCC3, 0x18C4DC0C0C07398F);
  EXPECT_EQ(id, TopicId(0x017F22E279B07CC3, 0x98C4DC0C0C07398F));
  EXPECT_EQ(id.created_ms(), 0x017F22E279B0);
  EXPECT_EQ(TopicId::Create(1, ~uint64_t{0}, ~uint64_t{0}),
            TopicId(0x17fff, 0xbfffffffffffffff));
  EXPECT_EQ(TopicId::Create(1, 0, 0), TopicId(0x17000, 0x8000000000000000));
}

TEST(TopicIdTest, NewIdsTellTheirTimeAndDoNotBeginWithAMinus) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const auto ms = static_cast<int64_t>(random() >> 18);
    const TopicId id = TopicId::Create(ms, random(), random());
    EXPECT_NE(id.ToText()[0], '-');
    EXPECT_THAT(TopicId::FromText(id.ToText()), IsOkAndHolds(id));
    if (ms < 253'402'300'800'000) {
      EXPECT_EQ(id.created_ms(), ms);
    }
  }
  for (int64_t ms : {INT64_MIN, int64_t{-1}, int64_t{0}}) {
    EXPECT_EQ(TopicId::Create(ms, 0, 0).created_ms(), 0);
    EXPECT_FALSE(TopicId::Create(ms, 0, 0).is_none());
  }
  EXPECT_EQ(TopicId::Create(INT64_MAX, 0, 0).created_ms(), 253'402'300'799'999);
}

TEST(TopicIdTest, OtherIdsTellNoTime) {
  EXPECT_EQ(kId.created_ms(), std::nullopt);  // version 4
  EXPECT_EQ(TopicId().created_ms(), std::nullopt);
  // Version 7 with another variant.
  EXPECT_EQ(TopicId(0x17000, 0xc000000000000000).created_ms(), std::nullopt);
}

TEST(TopicIdTest, OtherTextsAreRefused) {
  for (std::string_view text :
       {"", "Sx4sag89TleaixEiM0RVZ", "Sx4sag89TleaixEiM0RVZgA",
        "Sx4sag89TleaixEiM0RVZh",  // Bits after the 128th.
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
