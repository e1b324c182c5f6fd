// SPDX-License-Identifier: Apache-2.0

// Between a roll into a ready segment and the next sync a segment has no name:
// every call works without one, and NotFound is returned for topics alone.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/partition/apply_retention.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SegmentNamingTest : public PartitionFixture {
 protected:
  SegmentNamingTest() { config_.segment_bytes = 64 << 10; }

  static std::string Large() { return std::string(1000, 'v'); }
  void AppendLarge(int count) {
    for (int i = 0; i < count; ++i) ASSERT_GE(Append(Large()), 0);
  }
  // Makes a segment ready, and rolls into it; 40 records are before it.
  void RollIntoReady() {
    Recover();
    AppendLarge(40);
    log_->PrepareAhead(1 << 20);
    ASSERT_THAT(log_->Roll(), IsOk());
    ASSERT_THAT(NamesIn(path_, "ready"), SizeIs(3));
    ASSERT_FALSE(HasName());
  }
  bool HasName() const { return std::filesystem::exists(LogPath(40)); }
  // Takes the present segment's place, if that is empty, at the next append.
  void SetSegmentBytes(int64_t bytes) {
    config_.segment_bytes = bytes;
    ASSERT_THAT(log_->SetConfig(config_), IsOk());
  }
  void ExpectAllReadable(size_t count) {
    EXPECT_THAT(ReadAll(), SizeIs(count));
    ASSERT_NO_FATAL_FAILURE(CloseCleanly());
    ASSERT_NO_FATAL_FAILURE(OpenClean());
    EXPECT_THAT(ReadAll(), SizeIs(count));
  }
};

TEST_F(SegmentNamingTest, EmptySegmentTakesAConfigAndAppendsGoOn) {
  RollIntoReady();
  SetSegmentBytes(128 << 10);
  AppendLarge(3);
  EXPECT_THAT(log_->Sync(), IsOk());
  ExpectAllReadable(43);
}

TEST_F(SegmentNamingTest, EmptySegmentTakesAConfigAndACrashLosesNothing) {
  RollIntoReady();
  SetSegmentBytes(128 << 10);
  ASSERT_EQ(Append(Large(), Durability::kSynced), 40);
  Crash();
  Recover();
  EXPECT_FALSE(recovered_.report.has_damage());
  EXPECT_THAT(ReadAll(), SizeIs(41));
}

TEST_F(SegmentNamingTest, AppendThatFindsNoDescriptorForTheNameIsDoneLater) {
  RollIntoReady();
  files_.FailCallsNamed(
      "Directory::Rename " + path_ + "/" + std::string(kReadyIndexName), EMFILE,
      FaultyFileSystem::Repeat::kOnce);
  SetSegmentBytes(128 << 10);
  EXPECT_THAT(log_->Append({.value = Large()}, Durability::kMemory),
              StatusIs(absl::StatusCode::kResourceExhausted));
  AppendLarge(3);
  ExpectAllReadable(43);
}

TEST_F(SegmentNamingTest, RenamesThatStopHalfWayGoOnWhereTheyStopped) {
  RollIntoReady();
  files_.FailCallsNamed(
      "Directory::Rename " + path_ + "/" + std::string(kReadyLogName), EMFILE,
      FaultyFileSystem::Repeat::kOnce);
  SetSegmentBytes(128 << 10);
  EXPECT_THAT(log_->Append({.value = Large()}, Durability::kMemory),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_FALSE(HasName());
  AppendLarge(3);
  EXPECT_TRUE(HasName());
  ExpectAllReadable(43);
}

TEST_F(SegmentNamingTest, ParkAfterAConfigKeepsEverythingReadable) {
  RollIntoReady();
  SetSegmentBytes(128 << 10);
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_THAT(ReadAll(), SizeIs(40));
  EXPECT_EQ(log_->OffsetForTime(absl::InfiniteFuture()).value_or(-1), 40);
  AppendLarge(3);
  ExpectAllReadable(43);
}

TEST_F(SegmentNamingTest, ParkNamesTheSegmentBeforeItIsClosed) {
  RollIntoReady();
  AppendLarge(3);
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_TRUE(HasName());
  ExpectAllReadable(43);
}

TEST_F(SegmentNamingTest, ParkOfAPoisonedLogKeepsWhatHasNoName) {
  RollIntoReady();
  AppendLarge(3);
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kForever);
  EXPECT_THAT(log_->Park(), StatusIs(absl::StatusCode::kUnknown));
  ASSERT_FALSE(HasName());
  // The poison has been reported; the store parks on.
  for (int i = 0; i < 2; ++i) log_->Park().IgnoreError();
  EXPECT_THAT(ReadAll(), SizeIs(43));
}

TEST_F(SegmentNamingTest, CloseAfterAConfigSyncsWhatNoSyncHasCovered) {
  RollIntoReady();
  SetSegmentBytes(128 << 10);
  ASSERT_NO_FATAL_FAILURE(CloseCleanly());
  EXPECT_EQ(checkpoint_.recovery_point, 40);
  ASSERT_NO_FATAL_FAILURE(OpenClean());
  EXPECT_THAT(ReadAll(), SizeIs(40));
}

TEST_F(SegmentNamingTest, RetentionAndStatsLookAtASegmentWithoutAName) {
  RollIntoReady();
  config_.retention_bytes = 1 << 30;
  config_.retention_ms = 1000;
  SetSegmentBytes(64 << 10);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(log_->Stats(), IsOk());
    EXPECT_THAT(ApplyRetention(*log_, clock_.Now()), IsOk());
    AppendLarge(1);
    ASSERT_FALSE(HasName());
  }
  // It works as a sealed segment, too.
  AppendLarge(70);
  ASSERT_FALSE(HasName());
  EXPECT_THAT(log_->Stats(), IsOk());
  EXPECT_THAT(ApplyRetention(*log_, clock_.Now()), IsOk());
}

// The writer's files get their last sync then: a record appended meanwhile
// would be in a file that has a sidecar.
TEST_F(SegmentNamingTest, AppendDuringAParkWaitsForItsEnd) {
  Recover();
  AppendLarge(3);
  files_.HoldCallNamed("File::Sync");
  std::thread parker([&] { EXPECT_THAT(log_->Park(), IsOk()); });
  files_.AwaitHeld();
  absl::Notification appended;
  std::thread appender([&] {
    EXPECT_EQ(Append(Large()), 3);
    appended.Notify();
  });
  // Time enough for an append that does not wait.
  appended.WaitForNotificationWithTimeout(absl::Milliseconds(100));
  files_.LetGo();
  parker.join();
  appender.join();
  EXPECT_THAT(NamesIn(path_, "sealed-"), IsEmpty());
  ExpectAllReadable(4);
}

TEST_F(SegmentNamingTest, SegmentWhoseFileIsGoneIsALossAndNotNotFound) {
  Recover();
  AppendLarge(3);
  ASSERT_THAT(log_->Park(), IsOk());
  std::filesystem::remove(LogPath(0));
  EXPECT_THAT(TryAppend(Large()), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(log_->Read(0, {}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(SegmentNamingTest, DirectoryThatIsGoneIsALossAndNotNotFound) {
  Recover();
  AppendLarge(3);
  std::filesystem::remove_all(path_);
  EXPECT_THAT(log_->Roll(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(TryAppend(Large()), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(log_->Sync(), StatusIs(absl::StatusCode::kDataLoss));
}

// The store's maintenance makes the segment ready, and rolls into it when the
// partition is idle.
TEST(SegmentNamingOfAStoreTest, TopicIsAlteredAfterAnIdleRoll) {
  const MemoryDirectory scratch;
  ManualClock clock;
  clock.Advance(absl::Now() - clock.Now());  // real files have real times
  StoreOptions options = {.background = Background::kNone};
  options.environment.clock = &clock;
  options.retention_check_interval = absl::Milliseconds(1);
  auto store = LogStore::Open(scratch.path() + "/store", options);
  ASSERT_THAT(store, IsOk());
  TopicConfig config;
  config.log.segment_bytes = 64 << 10;
  config.log.segment_ms = 1500;
  config.log.retention_bytes = 1 << 30;
  ASSERT_THAT((*store)->CreateTopic("orders", config), IsOk());
  Partition orders = *(*store)->partition("orders", 0);
  const std::string value(1000, 'v');
  for (int i = 0; i < 40; ++i)
    ASSERT_THAT(orders.Append({.value = value}, Durability::kMemory), IsOk());
  ASSERT_THAT(orders.Sync(), IsOk());
  // Makes a segment ready; sees that the log has grown; rolls.
  for (int i = 0; i < 4 && orders.segment_count() == 1; ++i) {
    ASSERT_THAT((*store)->RunMaintenance(), IsOk());
    clock.Advance(absl::Seconds(2));
  }
  ASSERT_THAT(NamesIn(scratch.path() + "/store/orders-0", "ready"), SizeIs(3));
  ASSERT_EQ(orders.segment_count(), 2);
  ASSERT_THAT(
      (*store)->AlterTopic("orders", {.set = {{"segment.bytes", "131072"}}}),
      IsOk());
  const auto appended = orders.Append({.value = value});
  ASSERT_THAT(appended, IsOk());
  EXPECT_EQ(appended->offset, 40);
  EXPECT_THAT(orders.Stats(), IsOk());
  EXPECT_THAT((*store)->Close(), IsOk());
}

}  // namespace
}  // namespace varve
