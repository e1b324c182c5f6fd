// SPDX-License-Identifier: Apache-2.0

// The topic in which a store keeps committed offsets: when it is made, how many
// partitions it has, and what they hold.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/groups/committed_offsets_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/offsets/group_id.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class OffsetsTopicTest : public CommittedOffsetsFixture {
 protected:
  // The directories of __consumer_offsets.
  int OffsetsDirectories() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (absl::StrContains(entry.path().string(), "__consumer_offsets"))
        ++count;
    }
    return count;
  }
};

TEST_F(OffsetsTopicTest, WhatIsStoredIsKafkasByteForByte) {
  options_.offsets_topic_num_partitions = 50;  // as a broker has
  Reopen();
  AppendRecords(3);
  ASSERT_THAT(store_->CommitOffset("my-group", "orders", 0, 3), IsOk());
  auto view = (*store_->partition("__consumer_offsets", 12)).Read(0);
  ASSERT_THAT(view, IsOk());
  RecordBatches::Records records = view->records();
  const RecordView* record = records.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(absl::BytesToHexString(*record->key()),
            "0001"
            "00086d792d67726f7570"
            "00066f7264657273"
            "00000000");
  const std::string value = absl::BytesToHexString(*record->value());
  EXPECT_EQ(value.substr(0, 30),
            "0004"
            "0000000000000003"
            "00000000"
            "01");
  // The time, and the topic's id.
  EXPECT_EQ(value.substr(46, 6), "010010");
  const TopicId id = store_->DescribeTopic("orders")->id;
  EXPECT_EQ(value.substr(52),
            absl::StrCat(absl::Hex(id.high(), absl::kZeroPad16),
                         absl::Hex(id.low(), absl::kZeroPad16)));
  EXPECT_EQ(records.Next(), nullptr);
}

TEST_F(OffsetsTopicTest, TopicOfTheOffsetsIsMadeAtTheFirstCommitOnly) {
  EXPECT_FALSE(std::filesystem::exists(path_ + "/__consumer_offsets-0"));
  EXPECT_FALSE(store_->DescribeTopic("orders")->is_internal());
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
  auto topic = store_->DescribeTopic("__consumer_offsets");
  ASSERT_THAT(topic, IsOk());
  EXPECT_TRUE(topic->is_internal());
  EXPECT_EQ(topic->config.partitions, 1);
  EXPECT_EQ(OffsetsDirectories(), 1);
  EXPECT_EQ(topic->config.log.cleanup_policy, CleanupPolicy::kCompact);
  EXPECT_EQ(topic->config.log.segment_bytes, 1 << 20);
  EXPECT_THAT(store_->ListTopics(), SizeIs(2));
}

TEST_F(OffsetsTopicTest, OptionSaysHowManyPartitionsTheTopicIsMadeWith) {
  options_.offsets_topic_num_partitions = 7;
  Reopen();
  EXPECT_EQ(OffsetsDirectories(), 0);
  ASSERT_THAT(store_->CommitOffset("my-group", "orders", 0, 0), IsOk());
  EXPECT_EQ(OffsetsDirectories(), 7);
  EXPECT_EQ(OffsetsOf("my-group").index(), PartitionForGroup("my-group", 7));
  EXPECT_EQ(OffsetsOf("my-group").visible_end(), 1);
}

TEST_F(OffsetsTopicTest, OptionChangesNoTopicThatIsThere) {
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
  options_.offsets_topic_num_partitions = 50;
  Reopen();
  EXPECT_EQ(OffsetOf("g"), 0);
  ASSERT_THAT(store_->CommitOffset("test", "orders", 0, 0), IsOk());
  EXPECT_EQ(store_->DescribeTopic("__consumer_offsets")->config.partitions, 1);
  EXPECT_EQ(OffsetsDirectories(), 1);
  EXPECT_EQ(OffsetsOf("test").visible_end(), 2);
}

TEST_F(OffsetsTopicTest, NumberOfPartitionsOutOfRangeIsRefused) {
  for (const int32_t bad : {0, -1, TopicConfig::kPartitionsMax + 1}) {
    EXPECT_THAT(
        LogStore::Open(path_ + "2", {.offsets_topic_num_partitions = bad}),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 HasSubstr("offsets_topic_num_partitions")));
  }
}

TEST_F(OffsetsTopicTest, NameOfTheInternalTopicIsReserved) {
  EXPECT_THAT(store_->CreateTopic("__consumer_offsets"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the store's own")));
  EXPECT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
}

TEST_F(OffsetsTopicTest, OnlyThePartitionOfTheGroupIsRead) {
  options_.offsets_topic_num_partitions = 50;
  Reopen();
  for (const char* group : {"test", "my-group", "group1"}) {
    ASSERT_THAT(store_->CommitOffset(group, "orders", 0, 0), IsOk());
  }
  Reopen();
  EXPECT_EQ(OffsetOf("my-group"), 0);
  std::vector<std::string> opened;
  for (const PartitionRecoveryReport& partition :
       store_->recovery_report().partitions) {
    opened.push_back(std::filesystem::path(partition.path).filename());
  }
  EXPECT_THAT(opened, ElementsAre("orders-0", "__consumer_offsets-12"));
}

TEST_F(OffsetsTopicTest, EveryIdlePartitionOfTheOffsetsIsSmallOnDisk) {
  options_.offsets_topic_num_partitions = 50;
  Reopen();
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  ASSERT_EQ(OffsetsDirectories(), 50);
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    if (!absl::StrContains(entry.path().string(), "__consumer_offsets"))
      continue;
    uintmax_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(entry)) {
      bytes += file.file_size();
    }
    EXPECT_LE(bytes, 4096u) << entry.path();
  }
}

}  // namespace
}  // namespace varve
