// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/offset_table.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/metadata/offset_commit_record.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OffsetTableTest : public testing::Test {
 protected:
  void Put(std::string_view group, int32_t partition, int64_t offset) {
    Apply(group, partition, FormatOffsetCommitValue({.offset = offset}));
  }
  void Remove(std::string_view group, int32_t partition) {
    Apply(group, partition, std::nullopt);
  }
  void Apply(std::string_view group, int32_t partition,
             std::optional<std::string_view> value) {
    EXPECT_THAT(table_.Apply(
                    FormatOffsetCommitKey(
                        {.group = group, .topic = "t", .partition = partition}),
                    value, OffsetTable::Checked::kNo),
                IsOk());
  }

  // "group/partition" of the first `max` offsets.
  std::vector<std::string> First(int64_t max) const {
    std::vector<std::string> found;
    table_.ForEachOffset(
        [&](const std::string& group, const TopicPartition& partition,
            const OffsetTable::Entry&) {
          found.push_back(absl::StrCat(group, "/", partition.partition));
        },
        max);
    return found;
  }

  OffsetTable table_;
};

TEST_F(OffsetTableTest, OffsetsAreCountedOnceHoweverOftenTheyChange) {
  EXPECT_EQ(table_.offset_count(), 0);
  Put("g", 0, 1);
  Put("g", 0, 2);
  Put("g", 1, 1);
  Put("h", 0, 1);
  EXPECT_EQ(table_.offset_count(), 3);
  Remove("g", 0);
  Remove("g", 0);
  Remove("none", 0);
  EXPECT_EQ(table_.offset_count(), 2);
  Remove("g", 1);
  Remove("h", 0);
  EXPECT_EQ(table_.offset_count(), 0);
  EXPECT_THAT(table_.groups(), IsEmpty());
}

TEST_F(OffsetTableTest, RecordsOfOtherTypesAreNoOffsets) {
  EXPECT_THAT(table_.Apply(std::string_view("\0\2\0\1g", 5), "group metadata",
                           OffsetTable::Checked::kNo),
              IsOk());
  EXPECT_EQ(table_.offset_count(), 0);
  EXPECT_THAT(First(9), IsEmpty());
}

TEST_F(OffsetTableTest, OffsetsAreHandedOutInOrderUpToTheLimit) {
  Put("h", 0, 1);
  Put("g", 10, 1);
  Put("g", 2, 1);
  EXPECT_THAT(First(0), IsEmpty());
  EXPECT_THAT(First(2), ElementsAre("g/2", "g/10"));
  EXPECT_THAT(First(3), ElementsAre("g/2", "g/10", "h/0"));
  EXPECT_THAT(First(4), ElementsAre("g/2", "g/10", "h/0"));
}

}  // namespace
}  // namespace varve
