// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/group_id.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(GroupId, PartitionIsKafkas) {
  EXPECT_EQ(PartitionForGroup("test", 50), 48);
  EXPECT_EQ(PartitionForGroup("my-group", 50), 12);  // a negative hash
  EXPECT_EQ(PartitionForGroup("group1", 50), 40);
  EXPECT_EQ(PartitionForGroup("", 50), 0);
  // Its hash is -2^31, which has no absolute value.
  EXPECT_EQ(PartitionForGroup("polygenelubricants", 50), 0);
  EXPECT_EQ(PartitionForGroup("test", 1), 0);
}

TEST(GroupId, HashIsOverUtf16Units) {
  // "grün".hashCode() = ((103 * 31 + 114) * 31 + 252) * 31 + 110 = 3185949.
  EXPECT_EQ(PartitionForGroup("grün", 50), 3185949 % 50);
  // "漢".hashCode() = 0x6f22.
  EXPECT_EQ(PartitionForGroup("漢", 50), 0x6f22 % 50);
  // "🌊" is the pair d83c df0a: 0xd83c * 31 + 0xdf0a.
  EXPECT_EQ(PartitionForGroup("🌊", 50), (0xd83c * 31 + 0xdf0a) % 50);
}

TEST(GroupId, AnyUtf8UpToTheLimitIsTaken) {
  for (const std::string& group :
       {std::string("g"), std::string("a b/c\n"), std::string("grün 漢字 🌊"),
        std::string("\0", 1), std::string(kGroupIdSizeMax, 'x')}) {
    EXPECT_THAT(ValidateGroupId(group), IsOk());
  }
}

TEST(GroupId, EmptyAndTooLongIdsAreRefused) {
  EXPECT_THAT(ValidateGroupId(""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
  EXPECT_THAT(ValidateGroupId(std::string(kGroupIdSizeMax + 1, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("32768"), HasSubstr("32767"))));
}

TEST(GroupId, WhatIsNotUtf8IsRefused) {
  for (const std::string_view group :
       {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xff",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "ok\xe2\x82"}) {
    EXPECT_THAT(
        ValidateGroupId(group),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not UTF-8")));
  }
}

}  // namespace
}  // namespace varve
