// SPDX-License-Identifier: Apache-2.0

// The statistics of a partition, for its writer and for other processes.

#include "varve/log/metadata/partition_stats.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

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
#include "varve/log/metadata/leader_epochs.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr int64_t kFirstMs = 1700000000000;

class PartitionStatsTest : public StoreFixture {
 protected:
  static constexpr int64_t kBatchSize = 61 + 17;

  void SetUp() override {
    Open();
    TopicConfig config;
    config.log.segment_bytes = 2 * kBatchSize;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  }

  StoreOptions Options() override {
    StoreOptions options = {.background = Background::kNone};
    options.environment.files = &files_;
    options.environment.clock = &clock_;
    options.log_sink = [](const LogMessage&) {};
    return options;
  }
  void Close() {
    ASSERT_THAT(store_->Close(), IsOk());
    store_ = nullptr;
  }

  // The record at offset i has the time kFirstMs + i ms.
  void Append(int count, Durability durability = Durability::kMemory) {
    for (; count > 0; --count) {
      const absl::Time time =
          absl::FromUnixMillis(kFirstMs + Orders().visible_end());
      ASSERT_THAT(Orders().Append({.value = "0123456789", .timestamp = time},
                                  durability),
                  IsOk());
    }
  }

  PartitionStats Stats() {
    auto stats = Orders().Stats();
    EXPECT_THAT(stats, IsOk());
    return stats.value_or(PartitionStats());
  }
  PartitionStats StatsFromOutside() {
    auto store = LogStore::OpenReadOnly(path_);
    EXPECT_THAT(store, IsOk());
    auto partition = (*store)->partition("orders", 0);
    EXPECT_THAT(partition, IsOk());
    auto stats = partition->Stats();
    EXPECT_THAT(stats, IsOk());
    return stats.value_or(PartitionStats());
  }

  int64_t DiskBytes() const {
    int64_t bytes = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(path_ + "/orders-0")) {
      struct stat status;
      if (lstat(entry.path().c_str(), &status) == 0)
        bytes += status.st_blocks * 512;
    }
    return bytes;
  }

  FaultyFileSystem files_;
  ManualClock clock_;
};

absl::Time TimeOf(int64_t offset) {
  return absl::FromUnixMillis(kFirstMs + offset);
}

TEST_F(PartitionStatsTest, EmptyPartitionHasNoTimesAndNoBytes) {
  for (const PartitionStats& stats : {Stats(), StatsFromOutside()}) {
    EXPECT_EQ(stats.visible_end, 0);
    EXPECT_EQ(stats.segments, 0);
    EXPECT_EQ(stats.batch_bytes, 0);
    EXPECT_EQ(stats.oldest_time, std::nullopt);
    EXPECT_EQ(stats.newest_time, std::nullopt);
    EXPECT_THAT(stats.epochs, IsEmpty());
  }
  ASSERT_TRUE(Stats().writer.has_value());
  EXPECT_EQ(Stats().writer->unsynced_bytes, 0);
  EXPECT_TRUE(Stats().writer->reads_durable_only);
  EXPECT_THAT(Stats().writer->failure, IsOk());
  EXPECT_FALSE(StatsFromOutside().writer.has_value());
}

TEST_F(PartitionStatsTest, OffsetsSizesAndTimesAreThoseOfTheLog) {
  Append(5);
  const PartitionStats stats = Stats();
  EXPECT_EQ(stats.log_start, 0);
  EXPECT_EQ(stats.durable_end, 0);
  EXPECT_EQ(stats.visible_end, 5);
  EXPECT_EQ(stats.segments, 3);
  EXPECT_EQ(stats.batch_bytes, 5 * kBatchSize);
  EXPECT_EQ(stats.disk_bytes, DiskBytes());
  EXPECT_GT(stats.disk_bytes, stats.batch_bytes);
  EXPECT_THAT(stats.oldest_time, Optional(TimeOf(0)));
  EXPECT_THAT(stats.newest_time, Optional(TimeOf(4)));
  EXPECT_THAT(stats.epochs, ElementsAre(LeaderEpoch{0, 0}));
  EXPECT_EQ(stats.writer->unsynced_bytes, 5 * kBatchSize);
  EXPECT_FALSE(stats.writer->reads_durable_only);
}

TEST_F(PartitionStatsTest, SyncLeavesNothingUnsynced) {
  Append(3);
  ASSERT_THAT(Orders().Sync(), IsOk());
  EXPECT_EQ(Stats().writer->unsynced_bytes, 0);
  EXPECT_EQ(Stats().durable_end, 3);
  Append(1);
  EXPECT_EQ(Stats().writer->unsynced_bytes, kBatchSize);
  EXPECT_EQ(store_->Metrics().holdings.unsynced_bytes, kBatchSize);
  EXPECT_EQ(store_->Metrics().partitions.at({"orders", 0}).unsynced_bytes,
            kBatchSize);
  Append(1, Durability::kSynced);
  EXPECT_EQ(Stats().writer->unsynced_bytes, 0);
  EXPECT_THAT(store_->Metrics().partitions, IsEmpty());
}

TEST_F(PartitionStatsTest, TrimMovesTheStartTheSizeAndTheOldestTime) {
  Append(5);
  ASSERT_THAT(Orders().TrimBefore(3), IsOk());
  const PartitionStats stats = Stats();
  EXPECT_EQ(stats.log_start, 3);
  EXPECT_EQ(stats.segments, 2);
  // The batch of offset 2 is there still.
  EXPECT_EQ(stats.batch_bytes, 3 * kBatchSize);
  EXPECT_THAT(stats.oldest_time, Optional(TimeOf(3)));
  EXPECT_THAT(stats.newest_time, Optional(TimeOf(4)));
}

TEST_F(PartitionStatsTest, ViewsArePins) {
  Append(5);
  const auto view = Orders().Read(0);
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(Stats().writer->pins, (PinCounts{.pins = 1, .segments = 1}));
}

TEST_F(PartitionStatsTest, FailedSyncIsTheFailureAndItsBytesStayUnsynced) {
  Append(1, Durability::kSynced);
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kForever);
  EXPECT_FALSE(Orders().Append({.value = "0123456789"}).ok());
  files_.StopFailing();
  const PartitionStats stats = Stats();
  EXPECT_FALSE(stats.writer->failure.ok());
  EXPECT_EQ(stats.writer->unsynced_bytes, kBatchSize);
  EXPECT_EQ(stats.durable_end, 1);
  EXPECT_EQ(stats.visible_end, 2);
}

TEST_F(PartitionStatsTest, AnotherProcessSeesTheSameButForWhatTheWriterKnows) {
  Append(5);
  ASSERT_THAT(Orders().TrimBefore(3), IsOk());
  PartitionStats inside = Stats();
  const PartitionStats outside = StatsFromOutside();
  EXPECT_EQ(outside.log_start, inside.log_start);
  EXPECT_LE(outside.durable_end, inside.durable_end);
  EXPECT_EQ(outside.visible_end, inside.visible_end);
  EXPECT_EQ(outside.segments, inside.segments);
  EXPECT_EQ(outside.batch_bytes, inside.batch_bytes);
  EXPECT_EQ(outside.disk_bytes, inside.disk_bytes);
  EXPECT_EQ(outside.epochs, inside.epochs);
  EXPECT_EQ(outside.oldest_time, inside.oldest_time);
  EXPECT_EQ(outside.newest_time, inside.newest_time);
}

TEST_F(PartitionStatsTest, ClosedStoreIsKnownFromItsFiles) {
  Append(5);
  Close();
  const PartitionStats stats = StatsFromOutside();
  EXPECT_EQ(stats.durable_end, 5);
  EXPECT_EQ(stats.batch_bytes, 5 * kBatchSize);
  EXPECT_EQ(stats.disk_bytes, DiskBytes());
  EXPECT_THAT(stats.newest_time, Optional(TimeOf(4)));
}

TEST_F(PartitionStatsTest, SizeIsRightOfSegmentsThatAreNotOpen) {
  Append(5);
  Close();
  Open();
  EXPECT_EQ(Stats().batch_bytes, 5 * kBatchSize);
  EXPECT_EQ(Stats().segments, 3);
}

TEST_F(PartitionStatsTest, EpochOfEachIncarnationIsListed) {
  Append(2, Durability::kSynced);
  Close();
  // Leave the store as a crash does.
  std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
  Open();
  Append(1, Durability::kSynced);
  EXPECT_THAT(Stats().epochs,
              ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{1, 2}));
  EXPECT_EQ(StatsFromOutside().epochs, Stats().epochs);
}

TEST_F(PartitionStatsTest, RecordsWithTheTimeOfTheAppendHaveThat) {
  TopicConfig config;
  config.log.message_timestamp_type = TimestampType::kLogAppendTime;
  ASSERT_THAT(store_->CreateTopic("stamped", config), IsOk());
  auto stamped = *store_->partition("stamped", 0);
  ASSERT_THAT(stamped.Append({.timestamp = TimeOf(-5)}), IsOk());
  const auto stats = stamped.Stats();
  ASSERT_THAT(stats, IsOk());
  EXPECT_THAT(stats->oldest_time, Optional(clock_.Now()));
}

TEST_F(PartitionStatsTest, DamageHidesATimeAndNothingElse) {
  Append(3);
  Close();
  const std::string file = path_ + "/orders-0/00000000000000000000.log";
  std::string bytes = ReadBytes(file);
  bytes[16] = 9;  // the magic of the first batch
  WriteBytes(file, bytes);
  Open();
  EXPECT_EQ(Stats().oldest_time, std::nullopt);
  EXPECT_THAT(Stats().newest_time, Optional(TimeOf(2)));
  EXPECT_EQ(Stats().batch_bytes, 3 * kBatchSize);
}

TEST_F(PartitionStatsTest, ErrorsAreThoseOfTheCall) {
  Append(1);
  Partition orders = Orders();
  files_.FailCallsNamed("Directory::DiskBytes", EIO,
                        FaultyFileSystem::Repeat::kForever);
  EXPECT_THAT(orders.Stats(), StatusIs(absl::StatusCode::kUnknown));
  files_.StopFailing();
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_THAT(orders.Stats(), StatusIs(absl::StatusCode::kNotFound,
                                       HasSubstr("the topic was deleted")));
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_FALSE(orders.Stats().ok());
}

}  // namespace
}  // namespace varve
