// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store_metrics.h"

#include <cerrno>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::Pair;

int64_t Count(const ErrorCounts& errors, absl::StatusCode code) {
  return errors[static_cast<size_t>(code)];
}

int64_t Sum(const ErrorCounts& errors) {
  int64_t sum = 0;
  for (const int64_t count : errors) sum += count;
  return sum;
}

// A store that does nothing in the background, by a clock that stands still.
class StoreMetricsTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
    ASSERT_THAT(store_->CreateTopic("audit"), IsOk());
  }

  StoreOptions Options() override {
    StoreOptions options = {.background = Background::kNone};
    options.environment.files = &files_;
    options.environment.clock = &clock_;
    options.log_sink = [](const LogMessage&) {};
    return options;
  }

  Partition Of(const std::string& topic, int32_t index = 0) {
    auto partition = store_->partition(topic, index);
    EXPECT_THAT(partition, IsOk());
    return *partition;
  }

  // One record appended: 10 bytes of value, `size_` bytes as a batch.
  void Append(Partition partition, Durability durability) {
    ASSERT_THAT(partition.Append({.value = "0123456789"}, durability), IsOk());
  }

  static constexpr int64_t kBatchSize = 61 + 17;

  FaultyFileSystem files_;
  ManualClock clock_;
};

TEST_F(StoreMetricsTest, UnusedStoreHasCountedNothing) {
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.traffic, TrafficMetrics());
  EXPECT_TRUE(metrics.topics.empty());
  EXPECT_EQ(metrics.open_partitions, 0);
  EXPECT_EQ(metrics.sync_ns.count(), 0);
  EXPECT_EQ(metrics.opened_at, clock_.Now());
  EXPECT_EQ(metrics.taken_at, clock_.Now());
  EXPECT_EQ(Sum(metrics.open_errors), 0);
  // The data directory and the lock.
  EXPECT_EQ(metrics.open_files, 2);
  EXPECT_EQ(metrics.mappings, 0);
}

TEST_F(StoreMetricsTest, AppendsAreCountedByTopicInBatchesRecordsAndBytes) {
  Append(Of("orders", 0), Durability::kMemory);
  Append(Of("orders", 1), Durability::kMemory);
  Append(Of("orders", 1), Durability::kMemory);
  RecordBatchBuilder builder;
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(builder.Append({.value = "x"}, clock_.Now()), IsOk());
  }
  const EncodedBatch batch = builder.Finish();
  ASSERT_THAT(Of("audit").Append(batch, Durability::kMemory), IsOk());

  const StoreMetrics metrics = store_->Metrics();
  EXPECT_THAT(
      metrics.topics,
      ElementsAre(
          Pair("audit", TrafficMetrics{.appends = 1,
                                       .appended_records = 5,
                                       .appended_bytes = batch.size_bytes()}),
          Pair("orders", TrafficMetrics{.appends = 3,
                                        .appended_records = 3,
                                        .appended_bytes = 3 * kBatchSize})));
  EXPECT_EQ(metrics.traffic.appends, 4);
  EXPECT_EQ(metrics.traffic.appended_records, 8);
  EXPECT_EQ(metrics.open_partitions, 3);
  EXPECT_EQ(metrics.segments, 3);
}

TEST_F(StoreMetricsTest, ReadsAreCountedUnlessTheyReturnNothing) {
  Append(Of("audit"), Durability::kMemory);
  Append(Of("audit"), Durability::kMemory);
  ASSERT_THAT(Of("audit").Read(0), IsOk());
  ASSERT_THAT(Of("audit").Read(1), IsOk());
  ASSERT_THAT(Of("audit").Read(2), IsOk());  // the end: empty
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.traffic.reads, 2);
  EXPECT_EQ(metrics.traffic.read_bytes, 3 * kBatchSize);
}

TEST_F(StoreMetricsTest, OneInSixtyFourAppendsAndReadsIsTimed) {
  for (int i = 0; i < 129; ++i) {
    Append(Of("audit"), Durability::kMemory);
    ASSERT_THAT(Of("audit").Read(0), IsOk());
  }
  EXPECT_EQ(store_->Metrics().memory_append_ns.count(), 3);
  EXPECT_EQ(store_->Metrics().read_ns.count(), 3);
}

TEST_F(StoreMetricsTest, EverySyncedAppendIsTimedAndTheOthersApart) {
  Append(Of("audit"), Durability::kSynced);
  Append(Of("audit"), Durability::kSynced);
  Append(Of("orders"), Durability::kInterval);
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.synced_append_ns.count(), 2);
  EXPECT_EQ(metrics.interval_append_ns.count(), 1);
  EXPECT_EQ(metrics.memory_append_ns.count(), 0);
}

TEST_F(StoreMetricsTest, SyncCountsItsTimeBatchesAndBytes) {
  for (int i = 0; i < 3; ++i) Append(Of("audit"), Durability::kMemory);
  ASSERT_THAT(Of("audit").Sync(), IsOk());
  Append(Of("audit"), Durability::kSynced);
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.sync_ns.count(), 2);
  EXPECT_EQ(metrics.sync_batches.count(), 2);
  EXPECT_EQ(metrics.sync_batches.sum(), 4);
  EXPECT_EQ(metrics.sync_batches.Percentile(1), 3);
  EXPECT_EQ(metrics.synced_bytes, 4 * kBatchSize);
}

TEST_F(StoreMetricsTest, RollsAndAllocationsThatAppendsMeetAreCounted) {
  TopicConfig config;
  config.log.segment_bytes = 2 * kBatchSize;
  ASSERT_THAT(store_->CreateTopic("small", config), IsOk());
  for (int i = 0; i < 5; ++i) Append(Of("small"), Durability::kMemory);
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.roll_ns.count(), 2);
  EXPECT_EQ(metrics.segments, 3);
  EXPECT_EQ(metrics.append_allocations, 3);
}

TEST_F(StoreMetricsTest, FullDiskIsAnAppendErrorAndNoPoison) {
  Append(Of("audit"), Durability::kMemory);
  files_.LimitSpace(0);
  const std::string large(100000, 'x');
  EXPECT_THAT(Of("audit").Append({.value = large}, Durability::kMemory),
              StatusIs(absl::StatusCode::kResourceExhausted));
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(Count(metrics.append_errors, absl::StatusCode::kResourceExhausted),
            1);
  EXPECT_EQ(Sum(metrics.append_errors), 1);
  EXPECT_EQ(metrics.poisoned_partitions, 0);
  EXPECT_EQ(metrics.traffic.appends, 1);
}

TEST_F(StoreMetricsTest, FailedSyncPoisonsOnce) {
  Append(Of("audit"), Durability::kSynced);
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kForever);
  EXPECT_FALSE(Of("audit").Append({.value = "x"}).ok());
  EXPECT_FALSE(Of("audit").Append({.value = "x"}).ok());
  EXPECT_FALSE(Of("audit").Sync().ok());
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.poisoned_partitions, 1);
  EXPECT_EQ(Sum(metrics.sync_errors), 1);
  EXPECT_EQ(Sum(metrics.append_errors), 2);
  EXPECT_EQ(metrics.sync_ns.count(), 1);
  // The batch whose sync failed is visible.
  EXPECT_EQ(metrics.traffic.appends, 2);
}

TEST_F(StoreMetricsTest, ReadOfDamageIsADataLossError) {
  Append(Of("audit"), Durability::kSynced);
  ASSERT_THAT(store_->Close(), IsOk());
  const std::string file = path_ + "/audit-0/00000000000000000000.log";
  WriteBytes(file, WithBitFlipped(ReadBytes(file), 8 * 70));
  Open();
  EXPECT_THAT(Of("audit").Read(0), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Of("audit").Read(9), StatusIs(absl::StatusCode::kOutOfRange));
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(Count(metrics.read_errors, absl::StatusCode::kDataLoss), 1);
  EXPECT_EQ(Count(metrics.read_errors, absl::StatusCode::kOutOfRange), 1);
  EXPECT_EQ(metrics.traffic.reads, 0);
}

TEST_F(StoreMetricsTest, UnknownPartitionThatIsAskedForIsNoOpenError) {
  EXPECT_FALSE(store_->partition("orders", 9).ok());
  EXPECT_EQ(Sum(store_->Metrics().open_errors), 0);
  ASSERT_THAT(store_->Close(), IsOk());
  std::filesystem::remove_all(path_ + "/audit-0");
  Open();
  EXPECT_THAT(store_->partition("audit", 0),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Count(store_->Metrics().open_errors, absl::StatusCode::kDataLoss),
            1);
}

TEST_F(StoreMetricsTest, DeletedSegmentsAreCountedWithTheirBytes) {
  TopicConfig config;
  config.log.segment_bytes = 2 * kBatchSize;
  ASSERT_THAT(store_->CreateTopic("small", config), IsOk());
  for (int i = 0; i < 5; ++i) Append(Of("small"), Durability::kMemory);
  files_.FailCallsNamed("Directory::RemoveFile", EIO,
                        FaultyFileSystem::Repeat::kForever);
  EXPECT_FALSE(Of("small").TrimBefore(4).ok());
  EXPECT_EQ(store_->Metrics().deleted_segments, 0);
  files_.StopFailing();
  ASSERT_THAT(Of("small").TrimBefore(5), IsOk());
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.deleted_segments, 2);
  EXPECT_EQ(metrics.deleted_bytes, 4 * kBatchSize);
}

TEST_F(StoreMetricsTest, DeletedTopicIsForgottenButForTheTotals) {
  Append(Of("audit"), Durability::kMemory);
  ASSERT_THAT(store_->DeleteTopic("audit"), IsOk());
  EXPECT_TRUE(store_->Metrics().topics.empty());
  EXPECT_EQ(store_->Metrics().traffic.appends, 1);
  EXPECT_EQ(store_->Metrics().holdings, PartitionHoldings());
}

TEST_F(StoreMetricsTest, WaitsAreCountedByHowTheyEnd) {
  Append(Of("audit"), Durability::kMemory);
  ASSERT_THAT(Of("audit").WaitFor(0), IsOk());  // there already: no wait
  EXPECT_THAT(Of("audit").WaitFor(1, absl::InfinitePast()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  std::thread waiter(
      [partition = Of("audit")] { EXPECT_THAT(partition.WaitFor(1), IsOk()); });
  while (store_->Metrics().waiters == 0) std::this_thread::yield();
  Append(Of("audit"), Durability::kMemory);
  waiter.join();
  std::thread cancelled([partition = Of("audit")] {
    EXPECT_THAT(partition.WaitFor(9), StatusIs(absl::StatusCode::kCancelled));
  });
  while (store_->Metrics().waiters == 0) std::this_thread::yield();
  ASSERT_THAT(store_->Close(), IsOk());
  cancelled.join();
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.waiters, 0);
  EXPECT_EQ(metrics.finished_waits, 1);
  EXPECT_EQ(metrics.expired_waits, 1);
  EXPECT_EQ(metrics.cancelled_waits, 1);
}

TEST_F(StoreMetricsTest, TornTailAndScannedBytesAreCountedAtTheOpen) {
  for (int i = 0; i < 4; ++i) Append(Of("audit"), Durability::kSynced);
  const std::string file = path_ + "/audit-0/00000000000000000000.log";
  const std::string bytes = ReadBytes(file);
  const std::string copy = scratch_ / "copy";
  std::filesystem::copy(path_, copy, std::filesystem::copy_options::recursive);
  std::filesystem::remove(copy + "/varve.checkpoint");
  WriteBytes(copy + "/audit-0/00000000000000000000.log",
             bytes.substr(0, 4 * kBatchSize - 5));
  auto reopened = LogStore::Open(copy, Options());
  ASSERT_THAT(reopened, IsOk());
  const StoreMetrics metrics = (*reopened)->Metrics();
  EXPECT_EQ(metrics.torn_tails, 1);
  EXPECT_EQ(metrics.corrupt_places, 0);
  EXPECT_EQ(metrics.recovered_bytes, 3 * kBatchSize);
}

TEST_F(StoreMetricsTest, DescriptorsAndMappingsHeldAreThoseOfThisStore) {
  Append(Of("audit"), Durability::kMemory);
  const StoreMetrics metrics = store_->Metrics();
  // The data directory and the lock; the partition's directory; the segment and
  // its two indexes, which are mapped too.
  EXPECT_EQ(metrics.open_files, 6);
  EXPECT_EQ(metrics.mappings, 3);
  EXPECT_GT(metrics.mapped_bytes, int64_t{1} << 30);
  auto view = Of("audit").Read(0);
  ASSERT_THAT(store_->Close(), IsOk());
  const int64_t after = store_->Metrics().mappings;
  EXPECT_GE(after, 1);
  store_ = nullptr;
  EXPECT_EQ(view->size_bytes(), kBatchSize);
}

TEST_F(StoreMetricsTest, TimesAreThoseOfTheClockThatWasSupplied) {
  Append(Of("audit"), Durability::kMemory);
  files_.ForgetCalls();
  clock_.Advance(absl::Seconds(3));
  EXPECT_EQ(store_->Metrics().taken_at - store_->Metrics().opened_at,
            absl::Seconds(3));
  // No time passed during the append.
  EXPECT_EQ(store_->Metrics().memory_append_ns.sum(), 0);
}

TEST_F(StoreMetricsTest, ThreadsTogetherAreCountedExactly) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 500;
  Append(Of("audit"), Durability::kMemory);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kCalls; ++i) {
        Append(Of("orders", t % 2), Durability::kMemory);
        EXPECT_THAT(Of("audit").Read(0), IsOk());
        if (i % 100 == 0) store_->Metrics();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_EQ(metrics.topics.at("orders").appends, kThreads * kCalls);
  EXPECT_EQ(metrics.topics.at("audit").reads, kThreads * kCalls);
  EXPECT_EQ(metrics.topics.at("audit").read_bytes,
            kThreads * kCalls * kBatchSize);
}

}  // namespace
}  // namespace varve
