// SPDX-License-Identifier: Apache-2.0

#include "varve/api/compaction/topic_compaction.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/producer_client.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/duty/maintenance_pause.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/api/store_options.h"
#include "varve/api/store_verifier.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Latest = std::map<std::string, std::string>;

class TopicCompactionTest : public StoreFixture {
 protected:
  TopicCompactionTest() {
    config_.log.cleanup_policy = CleanupPolicy::kCompact;
    config_.log.segment_bytes = 2000;
    config_.log.min_cleanable_dirty_ratio = 0;
  }

  StoreOptions Options() override {
    return {.compaction_check_interval = check_interval_,
            .compaction_bytes_per_second = bytes_per_second_,
            .background = background_,
            .environment = {.files = &files_}};
  }

  void CreateOrders() {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", config_), IsOk());
  }

  // Appends `count` records with keys k0 to k`keys`, and the number as value.
  void Append(int count, int keys, int32_t partition = 0) {
    Partition orders = Orders(partition);
    for (int i = 0; i < count; ++i) {
      const std::string key = "k" + std::to_string(i % keys);
      const std::string value = "value-" + std::to_string(appended_++);
      ASSERT_THAT(orders.Append(Record{.key = key, .value = value},
                                Durability::kMemory),
                  IsOk());
      latest_[key] = value;
    }
    ASSERT_THAT(orders.Sync(), IsOk());
  }

  // Reads all records from the log start on. Errors are failures.
  template <typename AnyPartition>
  static std::map<int64_t, std::pair<std::string, std::string>> ReadAll(
      AnyPartition& partition, int64_t end) {
    std::map<int64_t, std::pair<std::string, std::string>> all;
    for (int64_t at = 0; at < end;) {
      const auto view = partition.Read(at);
      EXPECT_THAT(view, IsOk()) << at;
      if (!view.ok() || view->next_offset() == at) break;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        all[record->offset()] = {std::string(*record->key()),
                                 std::string(*record->value())};
      }
      EXPECT_THAT(records.status(), IsOk());
      at = view->next_offset();
    }
    return all;
  }
  static Latest LatestOf(
      const std::map<int64_t, std::pair<std::string, std::string>>& all) {
    Latest latest;
    for (const auto& [offset, record] : all)
      latest[record.first] = record.second;
    return latest;
  }

  // The partitions that were compacted, in the order in which their first new
  // file was made.
  std::vector<int32_t> Compacted() const {
    std::vector<int32_t> partitions;
    for (const std::string& call : files_.calls()) {
      if (!absl::EndsWith(call, ".cleaned")) continue;
      const size_t at = call.find("/orders-") + sizeof("/orders-") - 1;
      const int32_t partition = call[at] - '0';
      if (!absl::c_linear_search(partitions, partition))
        partitions.push_back(partition);
    }
    return partitions;
  }

  FaultyFileSystem files_;
  TopicConfig config_;
  absl::Duration check_interval_ = absl::Hours(1);
  int64_t bytes_per_second_ = 0;
  Background background_ = Background::kOwnThreads;
  int appended_ = 0;
  Latest latest_;
};

TEST_F(TopicCompactionTest, OnlyTheLatestRecordOfEachKeyIsLeft) {
  CreateOrders();
  Append(500, 7);
  Partition orders = Orders();
  const auto before = ReadAll(orders, orders.visible_end());

  const auto compacted = store_->CompactTopic("orders");

  ASSERT_THAT(compacted, IsOk());
  ASSERT_EQ(compacted->size(), 1);
  EXPECT_TRUE(compacted->front().compacted);
  EXPECT_EQ(compacted->front().dirty_ratio, 1);
  EXPECT_LT(compacted->front().bytes_after, compacted->front().bytes_before);
  const auto after = ReadAll(orders, orders.visible_end());
  EXPECT_EQ(before.size() - after.size(), compacted->front().records_removed);
  EXPECT_LT(after.size(), 50);
  EXPECT_EQ(LatestOf(after), latest_);
  for (const auto& [offset, record] : after)
    EXPECT_EQ(record, before.at(offset));
}

TEST_F(TopicCompactionTest, AReopenKeepsWhatIsCompacted) {
  CreateOrders();
  Append(500, 7);
  ASSERT_THAT(store_->CompactTopic("orders"), IsOk());
  Partition orders = Orders();
  const auto before = ReadAll(orders, orders.visible_end());

  Reopen();

  Partition reopened = Orders();
  EXPECT_EQ(ReadAll(reopened, reopened.visible_end()), before);
  const auto again = store_->CompactTopic("orders");
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(again->front().compacted && again->front().records_removed > 0);
}

TEST_F(TopicCompactionTest, AVerificationFindsNothing) {
  CreateOrders();
  Append(500, 7);
  ASSERT_THAT(store_->CompactTopic("orders"), IsOk());
  Append(100, 7);
  ASSERT_THAT(store_->CompactTopic("orders"), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());

  const auto verified = VerifyStore(path_, {}, {});

  ASSERT_THAT(verified, IsOk());
  EXPECT_THAT(verified->findings, IsEmpty());
}

TEST_F(TopicCompactionTest, AVerificationFindsASegmentThatIsLost) {
  // So that the compacted part has several segments.
  config_.log.segment_index_bytes = 24;
  config_.log.index_interval_bytes = 0;
  CreateOrders();
  Append(120, 60);
  ASSERT_THAT(store_->CompactTopic("orders"), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  const std::vector<std::string> sealed =
      NamesIn(path_ + "/orders-0", "sealed-");
  ASSERT_GT(sealed.size(), 2);
  const std::string lost = sealed[1].substr(std::string("sealed-").size());
  for (const std::string& name : NamesIn(path_ + "/orders-0", lost))
    std::filesystem::remove(path_ + "/orders-0/" + name);

  const auto verified = VerifyStore(path_, {}, {});

  ASSERT_THAT(verified, IsOk());
  EXPECT_THAT(verified->partitions.front().findings,
              Contains(AllOf(Field(&VerifyFinding::what,
                                   "the segment after it is missing"),
                             Field(&VerifyFinding::offset, std::stoll(lost)))));
}

TEST_F(TopicCompactionTest, MaintenanceCompactsWhatIsDue) {
  check_interval_ = absl::Milliseconds(1);
  background_ = Background::kNone;
  CreateOrders();
  Append(500, 7);
  absl::SleepFor(absl::Milliseconds(5));

  ASSERT_THAT(store_->RunMaintenance(), IsOk());

  Partition orders = Orders();
  EXPECT_LT(ReadAll(orders, orders.visible_end()).size(), 50);
}

TEST_F(TopicCompactionTest, WhatAnEarlierProcessLeftIsCompacted) {
  CreateOrders();
  Append(500, 7);
  check_interval_ = absl::Milliseconds(1);
  background_ = Background::kNone;
  const MaintenancePause pause = store_->PauseMaintenance();
  Reopen();
  absl::SleepFor(absl::Milliseconds(5));

  ASSERT_THAT(store_->RunMaintenance(), IsOk());

  Partition orders = Orders();
  EXPECT_LT(ReadAll(orders, orders.visible_end()).size(), 50);
}

TEST_F(TopicCompactionTest, MaintenanceCompactsTheDirtiestPartitionFirst) {
  check_interval_ = absl::Milliseconds(1);
  background_ = Background::kNone;
  config_.partitions = 4;
  CreateOrders();
  // Clean parts of different sizes: no key comes twice.
  const std::vector<int> clean = {200, 0, 800, 50};
  for (int32_t i = 0; i < 4; ++i) Append(clean[i], 1000, i);
  ASSERT_THAT(store_->CompactTopic("orders"), IsOk());
  for (int32_t i = 0; i < 4; ++i) Append(200, 100, i);
  files_.ForgetCalls();
  absl::SleepFor(absl::Milliseconds(5));

  ASSERT_THAT(store_->RunMaintenance(), IsOk());

  EXPECT_THAT(Compacted(), ElementsAre(1, 3, 0, 2));
}

TEST_F(TopicCompactionTest, ADamagedPartitionIsReportedOnceForAWhile) {
  CreateOrders();
  Append(500, 7);
  const MaintenancePause pause = store_->PauseMaintenance();
  ASSERT_THAT(store_->Close(), IsOk());
  const std::string log = path_ + "/orders-0/00000000000000000000.log";
  WriteBytes(log, WithBitFlipped(ReadBytes(log), 8 * 65));
  check_interval_ = absl::Milliseconds(1);
  background_ = Background::kNone;
  Open();

  for (int i = 0; i < 5; ++i) {
    absl::SleepFor(absl::Milliseconds(2));
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  }

  const auto errors = store_->Metrics().duty_errors;
  EXPECT_EQ(errors[static_cast<size_t>(absl::StatusCode::kDataLoss)], 1);
  EXPECT_THAT(store_->CompactTopic("orders"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(log)));
}

// The compaction waits for its turn for hours.
TEST_F(TopicCompactionTest, OtherWorkGoesOnBesideASlowOneAndACloseEndsIt) {
  check_interval_ = absl::Milliseconds(1);
  bytes_per_second_ = 1;
  CreateOrders();
  TopicConfig old;
  old.log.file_delete_delay_ms = 0;
  ASSERT_THAT(store_->CreateTopic("old", old), IsOk());
  Append(500, 7);
  absl::SleepFor(absl::Milliseconds(200));  // it has begun by then, mostly

  ASSERT_THAT(store_->DeleteTopic("old"), IsOk());

  const auto is_there = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (entry.path().filename().string().starts_with("old-0")) return true;
    }
    return false;
  };
  for (int i = 0; i < 3000 && is_there(); ++i)
    absl::SleepFor(absl::Milliseconds(10));
  EXPECT_FALSE(is_there());
  EXPECT_THAT(store_->Close(), IsOk());
}

TEST_F(TopicCompactionTest, ATopicThatIsOnlyDeletedFromIsRefused) {
  config_.log.cleanup_policy = CleanupPolicy::kDelete;
  CreateOrders();
  EXPECT_THAT(store_->CompactTopic("orders"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("its cleanup.policy is delete")));
  EXPECT_THAT(store_->CompactTopic("others"),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(TopicCompactionTest, ReadersOfBothKindsFollowALogThatIsCompacted) {
  CreateOrders();
  Append(200, 7);
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    Partition orders = Orders();
    while (!stop) {
      const int64_t end = orders.durable_end();
      const Latest read = LatestOf(ReadAll(orders, end));
      EXPECT_EQ(read.size(), 7);
    }
  });
  std::thread follower([&] {
    auto store = LogStore::OpenReadOnly(path_);
    ASSERT_THAT(store, IsOk());
    auto partition = (*store)->partition("orders", 0);
    ASSERT_THAT(partition, IsOk());
    while (!stop) {
      const auto end = partition->visible_end();
      ASSERT_THAT(end, IsOk());
      const Latest read = LatestOf(ReadAll(*partition, *end));
      EXPECT_EQ(read.size(), 7);
    }
  });
  for (int i = 0; i < 40; ++i) {
    Append(60, 7);
    EXPECT_THAT(store_->CompactTopic("orders"), IsOk());
  }
  stop = true;
  reader.join();
  follower.join();
  Partition orders = Orders();
  EXPECT_EQ(LatestOf(ReadAll(orders, orders.visible_end())), latest_);
}

// The read has found a segment, and looks for what was aborted in it: by then
// another one is in its place, which has neither those records nor their marker
// in its index.
TEST_F(TopicCompactionTest, ACommittedReadShowsNothingThatWasAbortedMeanwhile) {
  background_ = Background::kNone;
  CreateOrders();
  const ProducerClient client = {.transactional = Transactional::kYes,
                                 .keys = 2};
  for (const auto end :
       {ControlRecordType::kAbort, ControlRecordType::kCommit}) {
    const int32_t sequence = end == ControlRecordType::kAbort ? 0 : 1;
    ASSERT_THAT(Orders().Append(client.Batch(sequence).Finish()), IsOk());
    ASSERT_THAT(Orders().Append(client.Marker(end).Finish()), IsOk());
  }
  Append(100, 7);
  Reopen();
  bool is_compacted = false;
  files_.RunBefore("Directory::OpenFile " + path_ +
                       "/orders-0/00000000000000000000.txnindex",
                   [&] {
                     std::thread([&] {
                       for (int i = 0; i < 2; ++i) {
                         EXPECT_THAT(store_->CompactTopic("orders"), IsOk());
                         Append(60, 7);
                       }
                       is_compacted = true;
                     }).join();
                   });

  const auto view = Orders().Read(0, {.isolation = Isolation::kReadCommitted});

  ASSERT_THAT(view, IsOk());
  ASSERT_TRUE(is_compacted);
  RecordBatches::Records records = view->records();
  while (const RecordView* record = records.Next())
    EXPECT_NE(record->value(), "4000:0");
  EXPECT_THAT(records.status(), IsOk());
}

}  // namespace
}  // namespace varve
