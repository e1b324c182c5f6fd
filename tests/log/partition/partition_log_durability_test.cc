// SPDX-License-Identifier: Apache-2.0

// PartitionLog's behaviour on syncs, failed syncs, and full disks.

#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

class PartitionLogDurabilityTest : public PartitionFixture {
 protected:
  PartitionLogDurabilityTest() { config_.index_interval_bytes = 0; }

  void AppendUntilFull() {
    while (TryAppend("value").ok()) {
    }
  }
};

// Durability.

TEST_F(PartitionLogDurabilityTest,
       SyncedAppendMovesTheDurableEndAndOthersDoNot) {
  Recover();
  EXPECT_EQ(Append("a", Durability::kMemory), 0);
  EXPECT_EQ(Append("b", Durability::kInterval), 1);
  EXPECT_EQ(log_->durable_end(), 0);
  EXPECT_EQ(Append("c", Durability::kSynced), 2);
  EXPECT_EQ(log_->durable_end(), 3);
  EXPECT_EQ(log_->checkpoint().recovery_point, 3);
}

TEST_F(PartitionLogDurabilityTest,
       SyncCoversSealedSegmentsIndexesAndNamesInOrder) {
  config_.segment_bytes = 200;
  Recover();
  AppendMany(3);
  files_.ForgetCalls();
  ASSERT_THAT(log_->Sync(), IsOk());
  const std::string first = path_ + "/00000000000000000000";
  const std::string sidecar = path_ + "/sealed-00000000000000000000.tmp";
  EXPECT_THAT(
      files_.calls(),
      ::testing::ElementsAre(
          "File::Truncate " + first + ".log",
          "Mapping::ProtectReadOnly " + first + ".log",
          "File::Truncate " + first + ".index",
          "Mapping::ProtectReadOnly " + first + ".index",
          "File::Truncate " + first + ".timeindex",
          "Mapping::ProtectReadOnly " + first + ".timeindex",
          "File::Sync " + first + ".log", "File::Sync " + first + ".index",
          "File::Sync " + first + ".timeindex",
          "Directory::OpenFile " + sidecar, "File::Truncate " + sidecar,
          "File::WriteAt " + sidecar, "File::Sync " + sidecar,
          "Directory::Rename " + sidecar, "Directory::Sync " + path_,
          "File::Sync " + LogPath(2)));
  EXPECT_EQ(log_->durable_end(), 3);
}

TEST_F(PartitionLogDurabilityTest, IntervalAppendIsDueHalfWayThroughTheWindow) {
  Recover();
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
  Append("a", Durability::kMemory);
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
  Append("b", Durability::kInterval);
  EXPECT_EQ(log_->SyncDue(), clock_.Steady() + absl::Milliseconds(500));
  EXPECT_EQ(listener_->syncs_wanted, 1);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
}

TEST_F(PartitionLogDurabilityTest, IntervalAppendPastTheWindowWaitsForASync) {
  Recover();
  Append("a", Durability::kInterval);
  clock_.Advance(absl::Seconds(1));
  Append("b", Durability::kInterval);
  EXPECT_EQ(log_->durable_end(), 0);
  clock_.Advance(absl::Milliseconds(1));
  Append("c", Durability::kInterval);
  EXPECT_EQ(log_->durable_end(), 3);
}

TEST_F(PartitionLogDurabilityTest, ClockThatIsSetBackDoesNotStretchTheWindow) {
  Recover();
  Append("a", Durability::kInterval);
  clock_.SetBack(absl::Hours(1));
  Append("b", Durability::kInterval);
  clock_.Advance(absl::Milliseconds(1001));
  Append("c", Durability::kInterval);
  EXPECT_EQ(log_->durable_end(), 3);
}

TEST_F(PartitionLogDurabilityTest,
       IntervalAppendsLookAtTheClockOnceAMillisecond) {
  Recover();
  Append("a", Durability::kInterval);
  const int64_t before = clock_.steady_looks();
  for (int i = 0; i < 10; ++i) Append("b", Durability::kInterval);
  EXPECT_LE(clock_.steady_looks(), before + 1);
  clock_.Advance(absl::Milliseconds(1));
  Append("c", Durability::kInterval);
  EXPECT_GE(clock_.steady_looks(), before + 1);
}

TEST_F(PartitionLogDurabilityTest, SealedSegmentIsDueAtOnceWhateverTheLevel) {
  config_.segment_bytes = 200;
  Recover();
  AppendMany(3);
  EXPECT_EQ(log_->SyncDue(), absl::InfinitePast());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
}

TEST_F(PartitionLogDurabilityTest, FlushMessagesForcesASync) {
  config_.flush_messages = 3;
  Recover();
  AppendMany(2);
  EXPECT_EQ(log_->durable_end(), 0);
  AppendMany(1);
  EXPECT_EQ(log_->durable_end(), 3);
}

TEST_F(PartitionLogDurabilityTest, FlushMsBoundsEveryLevel) {
  config_.flush_ms = 100;
  Recover();
  AppendMany(1);
  EXPECT_EQ(log_->SyncDue(), clock_.Steady() + absl::Milliseconds(50));
  clock_.Advance(absl::Milliseconds(101));
  AppendMany(1);
  EXPECT_EQ(log_->durable_end(), 2);
}

TEST_F(PartitionLogDurabilityTest, FirstFailedSyncPoisonsTheLog) {
  Recover();
  AppendMany(2);
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  const absl::Status failure = log_->Sync();
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  EXPECT_EQ(log_->Sync(), failure);
  EXPECT_EQ(TryAppend("new").status(), failure);
  EXPECT_EQ(log_->durable_end(), 0);
  EXPECT_EQ(ReadAll(), Values(0, 2));
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
  EXPECT_EQ(log_->Close(), failure);
  EXPECT_EQ(log_->Close(), failure);
}

TEST_F(PartitionLogDurabilityTest, FailedSyncOfAnAppendIsItsError) {
  Recover();
  Append("a", Durability::kSynced);
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  const absl::Status failure = TryAppend("b", Durability::kSynced).status();
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  EXPECT_EQ(log_->durable_end(), 1);
  EXPECT_EQ(TryAppend("c", Durability::kMemory).status(), failure);
  Recover();
  EXPECT_EQ(Append("c", Durability::kSynced), 2);
}

// A full disk shows when blocks are allocated. A sync that fails, for whatever
// reason, has lost bytes and must not look like something to try again.
TEST_F(PartitionLogDurabilityTest, SyncThatFailsForWantOfSpacePoisonsAsWell) {
  Recover();
  AppendMany(1);
  files_.FailCallsNamed("File::Sync", ENOSPC, Repeat::kOnce);
  const absl::Status failure = log_->Sync();
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  EXPECT_EQ(TryAppend("new").status(), failure);
}

TEST_F(PartitionLogDurabilityTest, FailedDirectorySyncPoisonsAsWell) {
  Recover();
  AppendMany(1);
  files_.FailCallsNamed("Directory::Sync", EIO, Repeat::kOnce);
  EXPECT_THAT(log_->Sync(), StatusIs(Code::kUnknown));
  EXPECT_THAT(TryAppend("new"), StatusIs(Code::kUnknown));
}

TEST_F(PartitionLogDurabilityTest, SyncOfAPoisonedLogFailsThoughAllIsDurable) {
  Recover();
  Append("a", Durability::kSynced);
  files_.FailCallsNamed("File::Allocate", EIO, Repeat::kOnce);
  const absl::Status failure =
      TryAppend(std::string(10000, 'x'), Durability::kMemory).status();
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  EXPECT_EQ(log_->Sync(), failure);
}

// The prepare thread's sync gets the report that bytes are lost.
TEST_F(PartitionLogDurabilityTest, FailedSyncOfAPreparationPoisonsAsWell) {
  Recover();
  while (!log_->TakePreparationWanted()) {
    Append(std::string(1000, 'x'), Durability::kSynced);
  }
  AppendMany(1);
  auto event = log_->NewAppendEvent();
  ASSERT_THAT(event, IsOk());
  const int64_t durable_end = log_->durable_end();
  files_.FailCallsNamed("Mapping::Sync", EIO, Repeat::kOnce);
  log_->PrepareAhead(1 << 20);
  pollfd polled = {
      .fd = (*event)->descriptor(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&polled, 1, 0), 1);
  EXPECT_THAT(TryAppend("new", Durability::kSynced), StatusIs(Code::kUnknown));
  EXPECT_THAT(log_->Sync(), StatusIs(Code::kUnknown));
  EXPECT_EQ(log_->durable_end(), durable_end);
}

TEST_F(PartitionLogDurabilityTest, PartitionPoisonedByItsParkingSaysSo) {
  Recover();
  AppendMany(1);
  auto event = log_->NewAppendEvent();
  ASSERT_THAT(event, IsOk());
  files_.FailCallsNamed("File::Truncate", EIO, Repeat::kOnce);
  const absl::Status failure = log_->Park();
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  pollfd polled = {
      .fd = (*event)->descriptor(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&polled, 1, 0), 1);
  EXPECT_EQ(TryAppend("new").status(), failure);
}

TEST_F(PartitionLogDurabilityTest, SyncAfterCloseIsRefused) {
  Recover();
  AppendMany(1);
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_THAT(log_->Sync(), StatusIs(Code::kFailedPrecondition));
}

// A full disk.

TEST_F(PartitionLogDurabilityTest, FullDiskRefusesAppendsAndReadsGoOn) {
  Recover();
  files_.LimitSpace(5 * 4096);
  AppendUntilFull();
  const int64_t end = log_->visible_end();
  EXPECT_GT(end, 10);
  EXPECT_THAT(TryAppend("value"), StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(log_->visible_end(), end);
  EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), end);
  EXPECT_THAT(log_->Sync(), IsOk());
  files_.UnlimitSpace();
  EXPECT_EQ(Append("value"), end);
}

// At every amount of space, whichever of data, indexes and roll it stops.
TEST_F(PartitionLogDurabilityTest, AppendsResumeWhereverTheDiskWasFull) {
  config_.segment_bytes = 5000;
  for (int64_t pages = 0; pages < 12; ++pages) {
    SCOPED_TRACE(pages);
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    checkpoint_ = {};
    Recover();
    files_.LimitSpace(pages * 4096 + 100);
    AppendUntilFull();
    const int64_t end = log_->visible_end();
    EXPECT_THAT(TryAppend("value"), StatusIs(Code::kResourceExhausted));
    files_.UnlimitSpace();
    EXPECT_EQ(Append("value"), end);
    EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), end + 1);
    CloseCleanly();
    OpenClean();
    EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), end + 1);
    Crash();
  }
}

}  // namespace
}  // namespace varve
