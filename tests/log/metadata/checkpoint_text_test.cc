// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/checkpoint_text.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(CheckpointTextTest, TextIsKafkas) {
  EXPECT_EQ(FormatOffsetCheckpoint({{"orders", 0, 102}}),
            "0\n1\norders 0 102\n");
  EXPECT_EQ(FormatOffsetCheckpoint({}), "0\n0\n");
}

TEST(CheckpointTextTest, WrittenEntriesAreRead) {
  const std::vector<PartitionOffset> entries = {
      {"orders", 0, 102}, {"orders", 1, 0}, {"a.b-c_d", 2147483647, INT64_MAX}};
  EXPECT_THAT(ParseOffsetCheckpoint(FormatOffsetCheckpoint(entries)),
              IsOkAndHolds(entries));
}

TEST(CheckpointTextTest, EmptyTextHasNoEntries) {
  EXPECT_THAT(ParseOffsetCheckpoint(""), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(ParseOffsetCheckpoint("0\n0\n"), IsOkAndHolds(IsEmpty()));
}

TEST(CheckpointTextTest, FieldsAreSplitAtAnyBlanks) {
  EXPECT_THAT(ParseOffsetCheckpoint("0\n1\n orders \t0  102 \n"),
              IsOkAndHolds(ElementsAre(PartitionOffset{"orders", 0, 102})));
}

struct BadText {
  std::string_view text;
  std::string_view error;
};

TEST(CheckpointTextTest, DamageIsReportedWithItsLine) {
  const BadText kTexts[] = {
      {"0", "line 1: it does not end with a newline"},
      {"0\n1\norders 0 102", "line 3: it does not end with a newline"},
      {"\n", "line 1: the version is no number: \"\""},
      {"x\n0\n", "line 1: the version is no number: \"x\""},
      {"00\n0\n", "line 1: the version is no number: \"00\""},
      {"1\n0\n", "line 1: version 1 is not the known one, 0"},
      {"0\n", "line 2: the number of entries is missing"},
      {"0\n-1\n", "line 2: the number of entries is no number: \"-1\""},
      {"0\n99999999999\n", "line 2: the number of entries is no number"},
      {"0\n2\norders 0 102\n", "line 2: 2 entries are announced, 1 are there"},
      {"0\n0\norders 0 102\n", "line 2: 0 entries are announced, 1 are there"},
      {"0\n1\n\n", "line 3: 0 fields, not 3"},
      {"0\n1\norders 0\n", "line 3: 2 fields, not 3: \"orders 0\""},
      {"0\n1\norders 0 1 2\n", "line 3: 4 fields, not 3"},
      {"0\n1\norders x 1\n", "line 3: the partition is no number"},
      {"0\n1\norders -1 1\n", "line 3: the partition is no number"},
      {"0\n1\norders 2147483648 1\n", "line 3: the partition is no number"},
      {"0\n1\norders +1 1\n", "line 3: the partition is no number"},
      {"0\n1\norders 01 1\n", "line 3: the partition is no number"},
      {"0\n1\norders 0 -1\n", "line 3: the offset is no number from 0"},
      {"0\n1\norders 0 9223372036854775808\n", "line 3: the offset"},
      {"0\n1\norders 0 1\r\n", "line 3: the offset is no number"},
      {"0\n1\n../x 0 1\n", "line 3: topic name \"../x\""},
      {"0\n2\na 0 1\na 0 2\n", "line 4: a 0 is listed a second time"},
      {std::string_view("0\n1\na\0 0 1\n", 11),
       "line 3: topic name \"a\\x00\""},
  };
  for (const BadText& bad : kTexts) {
    EXPECT_THAT(ParseOffsetCheckpoint(bad.text),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr(std::string(bad.error))))
        << bad.text;
  }
}

TEST(CheckpointTextTest, EveryTruncationOfATextIsNoticed) {
  const std::string text =
      FormatOffsetCheckpoint({{"orders", 0, 102}, {"orders", 1, 7}});
  for (size_t size = 1; size < text.size(); ++size) {
    EXPECT_THAT(ParseOffsetCheckpoint(text.substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

TEST(CheckpointTextTest, LongGarbageIsShownInPart) {
  EXPECT_LT(ParseOffsetCheckpoint(std::string(1000000, '\x80') + "\n")
                .status()
                .message()
                .size(),
            500u);
}

}  // namespace
}  // namespace varve
