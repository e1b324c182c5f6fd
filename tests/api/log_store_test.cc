// SPDX-License-Identifier: Apache-2.0

#include "varve/api/log_store.h"

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/metrics/metrics_file.h"
#include "varve/log/metadata/lock_conflict.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LogStoreTest : public StoreFixture {
 protected:
  void SetUp() override { Open(); }

  StoreOptions Options() override {
    return {.environment = {.files = &files_}};
  }

  void WriteFile(const std::string& name, const std::string& contents) {
    std::ofstream(path_ + "/" + name, std::ios::binary) << contents;
  }

  bool Exists(const std::string& name) {
    return std::filesystem::exists(path_ + "/" + name);
  }

  FaultyFileSystem files_;
};

TEST_F(LogStoreTest, AppendedRecordIsReadBackWithAllItsFields) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  const absl::Time when = absl::FromUnixMillis(1700000000123);
  const std::vector<Header> headers = {{.key = "h", .value = "1"},
                                       {.key = "h"}};
  auto result = Orders().Append(
      {.key = "k", .value = "v", .headers = headers, .timestamp = when});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->offset, 0);
  EXPECT_EQ(result->timestamp, when);
  auto view = Orders().Read(0);
  ASSERT_THAT(view, IsOk());
  RecordBatches::Records records = view->records();
  const RecordView* record = records.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->offset(), 0);
  EXPECT_EQ(record->key(), "k");
  EXPECT_EQ(record->value(), "v");
  EXPECT_EQ(record->timestamp(), when);
  EXPECT_EQ(record->header_count(), 2);
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_THAT(records.status(), IsOk());
}

TEST_F(LogStoreTest, TopicsSurviveAReopenWithTheirConfigs) {
  TopicConfig config = {.partitions = 3};
  ASSERT_THAT(config.log.Set("segment.bytes", "1048576"), IsOk());
  ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  const TopicId id = store_->DescribeTopic("orders")->id;
  Reopen();
  EXPECT_THAT(store_->ListTopics(), SizeIs(1));
  auto topic = store_->DescribeTopic("orders");
  ASSERT_THAT(topic, IsOk());
  EXPECT_EQ(topic->config, config);
  EXPECT_EQ(topic->id, id);
}

TEST_F(LogStoreTest, OffsetsContinueAfterAReopen) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  Reopen();
  EXPECT_TRUE(store_->recovery_report().clean);
  auto result = Orders().Append({.value = "b"});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->offset, 1);
  Reopen();
  auto records = ReadAll(Orders());
  ASSERT_THAT(records, IsOk());
  ASSERT_THAT(*records, SizeIs(2));
  EXPECT_EQ((*records)[0].second.value, "a");
  EXPECT_EQ((*records)[1].second.value, "b");
}

TEST_F(LogStoreTest, CleanOpenAndCloseChangesNoFile) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  const std::string copy = scratch_ / "copy";
  CopyStore(path_, copy);
  Open();
  ASSERT_THAT(ReadAll(Orders()), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(copy)) {
    if (!entry.is_regular_file()) continue;
    // The reads were counted.
    if (entry.path().filename() == kMetricsName) continue;
    const auto other = path_ / std::filesystem::relative(entry.path(), copy);
    std::ifstream a(entry.path()), b(other);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(a), {}),
              std::string(std::istreambuf_iterator<char>(b), {}))
        << other;
  }
}

TEST_F(LogStoreTest, CleanShutdownMarkIsGoneWhileAppendsCanHappen) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_TRUE(Exists(".kafka_cleanshutdown"));
  Open();
  EXPECT_TRUE(Exists(".kafka_cleanshutdown"));
  ASSERT_THAT(Orders().Append({.value = "a"}, Durability::kMemory), IsOk());
  EXPECT_FALSE(Exists(".kafka_cleanshutdown"));
}

TEST_F(LogStoreTest, CloseLeavesTheFilesThatKafkaExpects) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  for (const char* name :
       {".lock", ".kafka_cleanshutdown", "recovery-point-offset-checkpoint",
        "log-start-offset-checkpoint", "orders-0/00000000000000000000.log",
        "orders-0/00000000000000000000.index",
        "orders-0/00000000000000000000.timeindex",
        "orders-0/leader-epoch-checkpoint", "orders-0/partition.metadata"}) {
    EXPECT_TRUE(Exists(name)) << name;
  }
  EXPECT_FALSE(Exists("meta.properties"));
  std::ifstream file(path_ + "/recovery-point-offset-checkpoint");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}),
            "0\n1\norders 0 1\n");
}

TEST_F(LogStoreTest, DirectoriesAndFilesArePrivate) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(path_)) {
    const auto mode = static_cast<unsigned>(entry.status().permissions());
    EXPECT_EQ(mode, entry.is_directory() ? 0700u : 0600u) << entry.path();
  }
}

TEST_F(LogStoreTest, SecondWriterIsRefusedAndTheFirstGoesOn) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  const absl::Status refused = LogStore::Open(path_).status();
  EXPECT_THAT(refused,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(path_), HasSubstr("another writer"))));
  EXPECT_TRUE(IsLockConflict(refused));
  EXPECT_THAT(Orders().Append({.value = "a"}), IsOk());
}

TEST_F(LogStoreTest, LockIsFreeAfterClose) {
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(LogStore::Open(path_), IsOk());
}

TEST_F(LogStoreTest, UnknownTopicNamesThoseThatExist) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  EXPECT_THAT(store_->partition("odrers", 0),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("odrers"), HasSubstr("orders"))));
}

TEST_F(LogStoreTest, PartitionOutOfRangeNamesTheRange) {
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 4}), IsOk());
  for (int32_t index : {-1, 4}) {
    EXPECT_THAT(store_->partition("orders", index),
                StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("0 to 3")));
  }
}

TEST_F(LogStoreTest, BadTopicNamesAndConfigsAreRefusedAndMakeNoFile) {
  for (const char* name : {"", ".", "..", "a b", "a/b", "ä"}) {
    EXPECT_THAT(store_->CreateTopic(name),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << name;
  }
  EXPECT_THAT(
      store_->CreateTopic("t", {.partitions = 0}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("partitions")));
  EXPECT_THAT(
      store_->CreateTopic("t", {.log = {.segment_bytes = 1}}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("segment.bytes")));
  EXPECT_THAT(store_->ListTopics(), IsEmpty());
  EXPECT_FALSE(Exists("t-0"));
}

TEST_F(LogStoreTest, TopicCannotBeCreatedTwiceNorCollide) {
  ASSERT_THAT(store_->CreateTopic("a.b"), IsOk());
  EXPECT_THAT(store_->CreateTopic("a.b"),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(store_->CreateTopic("a_b"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(LogStoreTest, TopicWhoseCreationWasCutShortCanBeCreated) {
  std::filesystem::create_directory(path_ + "/orders-0");
  WriteFile("orders-0/partition.metadata", "version: 0");
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
  EXPECT_THAT(Orders(0).Append({.value = "a"}), IsOk());
}

TEST_F(LogStoreTest, RecordsOfAForgottenTopicAreNotTouched) {
  std::filesystem::create_directory(path_ + "/orders-1");
  WriteFile("orders-1/00000000000000000000.log", "records");
  EXPECT_THAT(
      store_->CreateTopic("orders", {.partitions = 2}),
      StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("orders-1")));
  EXPECT_TRUE(Exists("orders-1/00000000000000000000.log"));
  EXPECT_FALSE(Exists("orders-0"));
}

TEST_F(LogStoreTest, CallsAfterCloseFailAndViewsStayValid) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  Partition orders = Orders();
  ASSERT_THAT(orders.Append({.value = "kept"}), IsOk());
  auto view = orders.Read(0);
  ASSERT_THAT(view, IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(orders.Append({.value = "x"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(orders.Read(0), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(store_->CreateTopic("t"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(store_->partition("orders", 0),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  store_ = nullptr;
  RecordBatches::Records records = view->records();
  const RecordView* record = records.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->value(), "kept");
}

TEST_F(LogStoreTest, CloseCancelsWaiters) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  Partition orders = Orders();
  absl::Status status;
  std::thread waiter([&] { status = orders.WaitFor(0); });
  absl::SleepFor(absl::Milliseconds(20));
  ASSERT_THAT(store_->Close(), IsOk());
  waiter.join();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(LogStoreTest, IntervalAppendsBecomeDurableWithoutAnotherCall) {
  ASSERT_THAT(store_->Close(), IsOk());
  auto store = LogStore::Open(path_, {.sync_interval = absl::Milliseconds(20)});
  ASSERT_THAT(store, IsOk());
  ASSERT_THAT((*store)->CreateTopic("orders"), IsOk());
  auto orders = (*store)->partition("orders", 0);
  ASSERT_THAT(orders->Append({.value = "a"}, Durability::kInterval), IsOk());
  while (orders->durable_end() < 1) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(orders->durable_end(), 1);
}

TEST_F(LogStoreTest, CheckpointFollowsTheSyncsByItself) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  auto text = [&] {
    std::ifstream file(path_ + "/varve.checkpoint");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  while (text().find("orders 0 0 1\n") == std::string::npos) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_THAT(text(), HasSubstr("orders 0 0 1\n"));
}

int64_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

TEST_F(LogStoreTest, SyncedSegmentsKeepNoDescriptorOpen) {
  ASSERT_THAT(store_->CreateTopic("orders", {.log = {.segment_bytes = 100}}),
              IsOk());
  ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  const int64_t before = OpenDescriptors();
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  }
  EXPECT_EQ(Orders().segment_count(), 51);
  EXPECT_LE(OpenDescriptors(), before + 3);
}

TEST_F(LogStoreTest, PartitionThatWasOnlyRecoveredGetsANewEpochAllTheSame) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  const std::string copy = scratch_ / "copy";
  CopyStore(files_, path_, copy);
  // Recovered, closed cleanly and never asked for.
  ASSERT_THAT((*LogStore::Open(copy))->Close(), IsOk());
  auto store = LogStore::Open(copy);
  ASSERT_THAT(store, IsOk());
  EXPECT_TRUE((*store)->recovery_report().clean);
  auto orders = (*store)->partition("orders", 0);
  ASSERT_THAT(orders->Append({.value = "b"}), IsOk());
  auto view = orders->Read(1);
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ((*view->begin()).leader_epoch(), 1);
}

TEST_F(LogStoreTest, KilledStoreIsRecoveredAndReported) {
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(
        Orders().Append({.value = absl::StrCat(i)}, Durability::kMemory),
        IsOk());
  }
  const std::string copy = scratch_ / "copy";
  CopyStore(files_, path_, copy);
  auto killed = LogStore::Open(copy);
  ASSERT_THAT(killed, IsOk());
  const RecoveryReport report = (*killed)->recovery_report();
  EXPECT_FALSE(report.clean);
  EXPECT_FALSE(report.has_damage());
  ASSERT_THAT(report.partitions, SizeIs(1));
  EXPECT_EQ(report.partitions[0].next_offset, 10);
  EXPECT_THAT(*ReadAll(*(*killed)->partition("orders", 0)), SizeIs(10));
}

TEST_F(LogStoreTest, MissingPartitionDirectoryIsDataLossAndOthersWork) {
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  std::filesystem::remove_all(path_ + "/orders-1");
  std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
  Open();
  EXPECT_THAT(store_->partition("orders", 1),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("orders-1")));
  EXPECT_THAT(store_->recovery_report().notes, SizeIs(1));
  EXPECT_THAT(Orders(0).Append({.value = "a"}), IsOk());
}

}  // namespace
}  // namespace varve
