// SPDX-License-Identifier: Apache-2.0

// A broker's log directory, opened to read only.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/broker_directory.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr TopicId kOrders(0x4b1e2c6a0f3d4e57, 0x9a8b112233445566);
constexpr TopicId kLogs(0x4b1e2c6a0f3d4e57, 0x9a8b112233445567);

class BrokerStoreTest : public testing::Test {
 protected:
  void Open() {
    auto store = ReadOnlyStore::Open(broker_.path());
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  std::vector<std::string> Topics() {
    const auto topics = store_->ListTopics();
    CHECK_OK(topics.status());
    std::vector<std::string> lines;
    for (const TopicDescription& topic : *topics) {
      lines.push_back(absl::StrCat(
          topic.name, ": ", topic.hosted.ToString(topic.config.partitions)));
    }
    return lines;
  }

  // "OFFSET VALUE" of the records from `offset` on, then the error, if one ends
  // them.
  std::vector<std::string> RecordsOf(const std::string& topic,
                                     int32_t partition, int64_t offset = 0) {
    auto opened = store_->partition(topic, partition);
    CHECK_OK(opened.status());
    std::vector<std::string> lines;
    while (true) {
      const auto view = opened->Read(offset);
      if (!view.ok()) {
        lines.emplace_back(view.status().message());
        return lines;
      }
      if (view->empty()) return lines;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        lines.push_back(
            absl::StrCat(record->offset(), " ", record->value().value_or("-")));
      }
      CHECK_OK(records.status());
      offset = view->next_offset();
    }
  }

  LogBounds BoundsOf(const std::string& topic, int32_t partition) {
    auto opened = store_->partition(topic, partition);
    CHECK_OK(opened.status());
    const auto bounds = opened->Bounds();
    CHECK_OK(bounds.status());
    return *bounds;
  }

  ScratchDirectory scratch_;
  const BrokerDirectory broker_{scratch_ / "broker"};
  std::unique_ptr<ReadOnlyStore> store_;
};

TEST_F(BrokerStoreTest, TopicsAreThoseOfThePartitionsDirectories) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a"}));
  broker_.AddPartition("orders-2", kOrders);
  broker_.PutSegment("orders-2", 0, "");
  broker_.AddPartition("logs-0", kLogs);
  const std::string unique = ".00112233445566778899aabbccddeeff";
  broker_.AddPartition("gone-0" + unique + "-delete", TopicId(1, 1));
  broker_.AddPartition("odd-0" + unique + "-stray", TopicId(1, 2));
  broker_.AddPartition("orders-1" + unique + "-future", kOrders);
  broker_.AddPartition("__cluster_metadata-0", TopicId(0, 1));
  broker_.Put("bootstrap.checkpoint", "");
  Open();
  EXPECT_THAT(Topics(), ElementsAre("logs: 0 to 0", "orders: 0, 2"));
  const auto orders = store_->DescribeTopic("orders");
  ASSERT_THAT(orders, IsOk());
  EXPECT_EQ(orders->id, kOrders);
  EXPECT_TRUE(orders->hosted.is_of_broker());
  EXPECT_THAT(orders->partition_numbers(), ElementsAre(0, 2));
  EXPECT_THAT(RecordsOf("orders", 0), ElementsAre("0 a"));
  EXPECT_THAT(RecordsOf("orders", 2), IsEmpty());
}

TEST_F(BrokerStoreTest, PartitionThatTheBrokerDoesNotHostIsOutOfRange) {
  broker_.AddPartition("orders-2", kOrders);
  broker_.PutSegment("orders-2", 0, "");
  Open();
  for (const int32_t partition : {0, 3, -1}) {
    EXPECT_THAT(store_->partition("orders", partition),
                StatusIs(absl::StatusCode::kOutOfRange,
                         AllOf(HasSubstr("this broker's directory"),
                               HasSubstr("it has 2"))));
  }
  EXPECT_THAT(store_->partition("other", 0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("orders")));
}

TEST_F(BrokerStoreTest, CopyWithoutMetaPropertiesIsReadToo) {
  broker_.Remove("meta.properties");
  EXPECT_THAT(ReadOnlyStore::Open(broker_.path()),
              StatusIs(absl::StatusCode::kNotFound));
  broker_.Put("backup-2024", "");
  EXPECT_THAT(ReadOnlyStore::Open(broker_.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  broker_.Remove("backup-2024");
  std::filesystem::create_directory(broker_.PathOf("orders-1"));
  broker_.PutSegment("orders-1", 0, BrokerBatch(0, {"a"}));
  Open();
  EXPECT_THAT(Topics(), ElementsAre("orders: 1"));
  EXPECT_THAT(RecordsOf("orders", 1), ElementsAre("0 a"));
  EXPECT_FALSE(store_->DescribeTopic("orders")->id.is_none());
}

TEST_F(BrokerStoreTest, StoreThatLostItsTopicsIsNoBrokers) {
  broker_.Remove("meta.properties");
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a"}));
  broker_.Put("varve.checkpoint", "");
  EXPECT_THAT(ReadOnlyStore::Open(broker_.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no varve.topics")));
}

TEST_F(BrokerStoreTest, DirectoryOfAnOlderTopicOfTheNameIsLeftOut) {
  broker_.AddPartition("orders-0", kLogs);
  broker_.AddPartition("orders-1", kOrders);
  broker_.AddPartition("orders-2", kOrders);
  Open();
  EXPECT_THAT(Topics(), ElementsAre("orders: 1, 2"));
}

TEST_F(BrokerStoreTest, LogStartIsTheCheckpointsOrTheFirstFiles) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a", "b", "c"}));
  broker_.AddPartition("orders-1", kOrders);
  broker_.PutSegment("orders-1", 7, BrokerBatch(7, {"h"}));
  broker_.PutLogStarts({{"orders", 0, 2}});
  Open();
  EXPECT_EQ(BoundsOf("orders", 0).log_start, 2);
  EXPECT_EQ(BoundsOf("orders", 0).visible_end, 3);
  EXPECT_THAT(RecordsOf("orders", 0, 2), ElementsAre("2 c"));
  EXPECT_THAT(RecordsOf("orders", 0, 1), ElementsAre(HasSubstr("2")));
  EXPECT_EQ(BoundsOf("orders", 1).log_start, 7);
  EXPECT_THAT(RecordsOf("orders", 1, 7), ElementsAre("7 h"));
}

TEST_F(BrokerStoreTest, CompactedLogHasGaps) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0,
                     BrokerBatch(3, {"d"}) + BrokerBatch(8, {"i"}));
  broker_.PutSegment("orders-0", 20, "");
  broker_.PutSegment("orders-0", 30, BrokerBatch(31, {"x"}));
  broker_.PutRecoveryPoints({{"orders", 0, 32}});
  broker_.MarkCleanlyStopped();
  Open();
  EXPECT_THAT(RecordsOf("orders", 0), ElementsAre("3 d", "8 i", "31 x"));
  EXPECT_EQ(BoundsOf("orders", 0).visible_end, 32);
}

// The broker allocated its segment ahead, and died in a write.
TEST_F(BrokerStoreTest, LogOfABrokerThatDiedEndsWithItsLastWholeBatch) {
  broker_.AddPartition("orders-0", kOrders);
  const std::string torn = BrokerBatch(2, {"c"});
  broker_.PutSegment("orders-0", 0,
                     BrokerBatch(0, {"a", "b"}) +
                         torn.substr(0, torn.size() - 3) +
                         std::string(100, '\0'));
  broker_.PutRecoveryPoints({{"orders", 0, 0}});
  Open();
  EXPECT_THAT(RecordsOf("orders", 0), ElementsAre("0 a", "1 b"));
  EXPECT_EQ(BoundsOf("orders", 0).visible_end, 2);
}

TEST_F(BrokerStoreTest, WhatIsMissingBelowTheRecoveryPointIsDataLoss) {
  broker_.AddPartition("orders-0", kOrders);
  std::string damaged = BrokerBatch(1, {"b"});
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  broker_.PutSegment("orders-0", 0,
                     BrokerBatch(0, {"a"}) + damaged + BrokerBatch(2, {"c"}));
  broker_.PutRecoveryPoints({{"orders", 0, 3}});
  broker_.MarkCleanlyStopped();
  Open();
  EXPECT_THAT(RecordsOf("orders", 0),
              ElementsAre("0 a", HasSubstr("offset 1")));
  EXPECT_THAT(RecordsOf("orders", 0, 2), ElementsAre("2 c"));
}

// All that a crash between two renames of the log cleaner may leave.
TEST_F(BrokerStoreTest, SwapOfTheLogCleanerIsSeenWholeAtEachStep) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a", "b"}));
  broker_.PutSegment("orders-0", 2, BrokerBatch(2, {"c"}));
  broker_.PutSegment("orders-0", 3, BrokerBatch(3, {"d"}));
  const std::string first = BrokerDirectory::FileOf("orders-0", 0);
  const std::string second = BrokerDirectory::FileOf("orders-0", 2);
  const auto old_records = ElementsAre("0 a", "1 b", "2 c", "3 d");
  const auto new_records = ElementsAre("2 c", "3 d");
  broker_.Put(first + ".cleaned", BrokerBatch(2, {"c"}));
  Open();
  EXPECT_THAT(RecordsOf("orders", 0), old_records);
  broker_.Rename(first + ".cleaned", first + ".swap");
  Open();
  EXPECT_THAT(RecordsOf("orders", 0), new_records);
  broker_.Rename(first, first + ".deleted");
  Open();
  EXPECT_THAT(RecordsOf("orders", 0), new_records);
  broker_.Rename(second, second + ".deleted");
  Open();
  EXPECT_THAT(RecordsOf("orders", 0), new_records);
  broker_.Rename(first + ".swap", first);
  Open();
  EXPECT_THAT(RecordsOf("orders", 0), new_records);
}

// A reader has the old file of the first segment open, and the next one is
// gone.
TEST_F(BrokerStoreTest, RecordsThatTheLogCleanerMovedAreNotSkipped) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a", "b"}));
  broker_.PutSegment("orders-0", 2, BrokerBatch(2, {"c"}));
  broker_.PutSegment("orders-0", 3, BrokerBatch(3, {"d"}));
  const std::string first = BrokerDirectory::FileOf("orders-0", 0);
  const std::string second = BrokerDirectory::FileOf("orders-0", 2);
  Open();
  const auto partition = store_->partition("orders", 0);
  ASSERT_THAT(partition, IsOk());
  const auto before = partition->Read(0, {.max_bytes = 1});
  ASSERT_THAT(before, IsOk());
  ASSERT_EQ(before->next_offset(), 2);
  broker_.Put(first + ".swap", BrokerBatch(0, {"a"}) + BrokerBatch(2, {"c"}));
  broker_.Rename(first, first + ".deleted");
  broker_.Rename(second, second + ".deleted");
  broker_.Rename(first + ".swap", first);
  const auto view = partition->Read(2, {.max_bytes = 1});
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(view->next_offset(), 3);
}

TEST_F(BrokerStoreTest, SymbolicLinksAreNotFollowed) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a"}));
  std::filesystem::create_directory_symlink(broker_.PathOf("orders-0"),
                                            broker_.PathOf("orders-1"));
  std::filesystem::create_symlink(
      broker_.PathOf(BrokerDirectory::FileOf("orders-0", 0)),
      broker_.PathOf(BrokerDirectory::FileOf("orders-0", 1)));
  Open();
  EXPECT_THAT(Topics(), ElementsAre("orders: 0 to 0"));
  EXPECT_THAT(RecordsOf("orders", 0),
              ElementsAre("0 a", HasSubstr("a symbolic link")));
}

// The broker's next start would delete all of it.
TEST_F(BrokerStoreTest, LogStartPastTheEndIsAnEmptyLog) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a"}));
  broker_.PutLogStarts({{"orders", 0, 9}});
  Open();
  EXPECT_EQ(BoundsOf("orders", 0).log_start, 9);
  EXPECT_EQ(BoundsOf("orders", 0).visible_end, 9);
  EXPECT_THAT(RecordsOf("orders", 0, 9), IsEmpty());
}

TEST_F(BrokerStoreTest, FollowsARunningBroker) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a"}));
  Open();
  auto partition = store_->partition("orders", 0);
  ASSERT_THAT(partition, IsOk());
  EXPECT_THAT(partition->Read(1), IsOk());
  EXPECT_TRUE(partition->Read(1)->empty());
  broker_.PutSegment("orders-0", 0,
                     BrokerBatch(0, {"a"}) + BrokerBatch(1, {"b"}));
  broker_.PutSegment("orders-0", 2, BrokerBatch(2, {"c"}));
  EXPECT_THAT(partition->WaitFor(2, absl::Now() + absl::Seconds(30)), IsOk());
  EXPECT_THAT(RecordsOf("orders", 0, 1), ElementsAre("1 b", "2 c"));
}

TEST_F(BrokerStoreTest, NothingIsWritten) {
  broker_.AddPartition("orders-0", kOrders);
  broker_.PutSegment("orders-0", 0, BrokerBatch(0, {"a"}));
  const std::vector<std::string> names = NamesIn(broker_.path());
  const std::vector<std::string> files = NamesIn(broker_.PathOf("orders-0"));
  Open();
  EXPECT_THAT(RecordsOf("orders", 0), ElementsAre("0 a"));
  EXPECT_THAT(store_->ListGroups(), IsOk());
  store_ = nullptr;
  EXPECT_EQ(NamesIn(broker_.path()), names);
  EXPECT_EQ(NamesIn(broker_.PathOf("orders-0")), files);
}

TEST_F(BrokerStoreTest, WriterIsRefusedAndToldOfTheWays) {
  EXPECT_THAT(LogStore::Open(broker_.path(), {.background = Background::kNone}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("Kafka broker"), HasSubstr("import"))));
}

}  // namespace
}  // namespace varve
