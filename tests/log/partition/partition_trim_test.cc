// SPDX-License-Identifier: Apache-2.0

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/recovery/partition_recovery.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class PartitionTrimTest : public PartitionFixture {
 protected:
  // Segments of ten records each, the last with five: 0, 10, 20, 30, 40.
  void FillFiveSegments() {
    Recover();
    AppendMany(1);
    config_.segment_bytes = 10 * BatchSize();
    ASSERT_THAT(log_->SetConfig(config_), IsOk());
    AppendMany(44);
    ASSERT_EQ(log_->segment_count(), 5);
  }
  bool Exists(int64_t base_offset) const {
    return std::filesystem::exists(LogPath(base_offset));
  }
  int64_t FileCount() const {
    return std::distance(std::filesystem::directory_iterator(path_),
                         std::filesystem::directory_iterator());
  }
};

// Otherwise retention of a busy log would sync all of it for each deleted
// segment.
TEST_F(PartitionTrimTest, StartBelowTheDurableEndSyncsNothing) {
  FillFiveSegments();
  ASSERT_THAT(log_->Sync(), IsOk());
  AppendMany(20);  // segments that no sync has seen
  files_.ForgetCalls();
  ASSERT_THAT(log_->TrimBefore(20), IsOk());
  EXPECT_THAT(files_.calls(), Not(Contains(HasSubstr("Sync"))));
  EXPECT_EQ(log_->durable_end(), 45);
  ASSERT_THAT(log_->TrimBefore(50), IsOk());
  EXPECT_GE(log_->durable_end(), 50);
}

TEST_F(PartitionTrimTest, WholeSegmentsBelowTheStartAreDeletedAndNoOther) {
  FillFiveSegments();
  ASSERT_THAT(log_->TrimBefore(25), IsOk());
  EXPECT_EQ(log_->log_start(), 25);
  EXPECT_FALSE(Exists(0));
  EXPECT_FALSE(Exists(10));
  EXPECT_TRUE(Exists(20));
  EXPECT_EQ(log_->segment_count(), 3);
  EXPECT_EQ(FileCount(), 3 * 3 + 2 + 1)
      << "and sidecars of the sealed ones, and the epoch checkpoint";
  EXPECT_EQ(ReadAll(), Values(25, 45));
}

TEST_F(PartitionTrimTest, CheckpointIsWrittenBeforeAnyFileIsDeleted) {
  FillFiveSegments();
  listener_->write_checkpoint = absl::UnknownError("no checkpoint");
  EXPECT_THAT(log_->TrimBefore(25),
              StatusIs(absl::StatusCode::kUnknown, "no checkpoint"));
  EXPECT_TRUE(Exists(0));
  EXPECT_EQ(log_->log_start(), 25);
  listener_->write_checkpoint = absl::OkStatus();
  EXPECT_THAT(log_->TrimBefore(25), IsOk());
  EXPECT_FALSE(Exists(0));
}

TEST_F(PartitionTrimTest, ReadBelowTheStartIsOutOfRangeAndNamesIt) {
  FillFiveSegments();
  ASSERT_THAT(log_->TrimBefore(25), IsOk());
  EXPECT_THAT(log_->Read(24, {}), StatusIs(absl::StatusCode::kOutOfRange,
                                           HasSubstr("starts at 25")));
}

TEST_F(PartitionTrimTest, ViewOfADeletedSegmentStaysValid) {
  FillFiveSegments();
  const auto view = log_->Read(0, {});
  ASSERT_THAT(view, IsOk());
  ASSERT_THAT(log_->TrimBefore(45), IsOk());
  RecordBatches::Records records = view->records();
  EXPECT_EQ(records.Next()->value(), Value(0));
}

TEST_F(PartitionTrimTest, TrimToTheEndKeepsTheActiveSegmentAndTheNextOffset) {
  FillFiveSegments();
  ASSERT_THAT(log_->TrimBefore(45), IsOk());
  EXPECT_EQ(log_->segment_count(), 1);
  EXPECT_EQ(Append(Value(45)), 45);
  EXPECT_EQ(ReadAll(), Values(45, 46));
}

TEST_F(PartitionTrimTest, TrimSyncsWhatIsLeftBehindTheDurableEnd) {
  FillFiveSegments();
  ASSERT_LT(log_->durable_end(), 42);
  ASSERT_THAT(log_->TrimBefore(42), IsOk());
  EXPECT_GE(log_->durable_end(), 42);
  EXPECT_LE(log_->log_start(), log_->durable_end());
}

TEST_F(PartitionTrimTest, LogStartsWhereItDidWhenTheSyncOfATrimFails) {
  FillFiveSegments();
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(log_->TrimBefore(42), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(log_->log_start(), 0);
  EXPECT_EQ(ReadAll(), Values(0, 45));
}

TEST_F(PartitionTrimTest, TrimBehindTheEndIsOutOfRangeAndTrimsNothing) {
  FillFiveSegments();
  EXPECT_THAT(log_->TrimBefore(46), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(ReadAll(), Values(0, 45));
}

TEST_F(PartitionTrimTest, LowerStartChangesNothing) {
  FillFiveSegments();
  ASSERT_THAT(log_->TrimBefore(25), IsOk());
  ASSERT_THAT(log_->TrimBefore(3), IsOk());
  EXPECT_EQ(log_->log_start(), 25);
}

TEST_F(PartitionTrimTest, TrimmedLogReopensCleanAndAfterACrash) {
  FillFiveSegments();
  ASSERT_THAT(log_->TrimBefore(25), IsOk());
  CloseCleanly();
  OpenClean();
  EXPECT_EQ(ReadAll(), Values(25, 45));
  AppendMany(5);
  checkpoint_ = log_->checkpoint();
  Crash();
  Recover();
  EXPECT_THAT(recovered_.report.findings, ::testing::IsEmpty());
  EXPECT_EQ(ReadAll(), Values(25, 50));
}

TEST_F(PartitionTrimTest, DeletionCutShortIsFinishedAfterTheNextOpen) {
  FillFiveSegments();
  ASSERT_THAT(log_->MoveLogStart(25), IsOk());
  checkpoint_ = log_->checkpoint();
  files_.FailCallsNamed("Directory::RemoveFile", EIO,
                        FaultyFileSystem::Repeat::kForever);
  EXPECT_THAT(log_->DeleteTrimmed(25), StatusIs(absl::StatusCode::kUnknown));
  files_.StopFailing();
  Crash();
  Recover();
  EXPECT_EQ(ReadAll(), Values(25, 45));
  EXPECT_TRUE(Exists(0));
  ASSERT_THAT(log_->DeleteTrimmed(25), IsOk());
  EXPECT_FALSE(Exists(0));
  EXPECT_FALSE(Exists(10));
  EXPECT_TRUE(Exists(20));
}

// Two trims at once: the second one's start is not in the checkpoint that the
// first one has written.
TEST_F(PartitionTrimTest, NothingIsDeletedThatTheDurableStartDoesNotCover) {
  FillFiveSegments();
  ASSERT_THAT(log_->MoveLogStart(25), IsOk());
  ASSERT_THAT(log_->MoveLogStart(40), IsOk());
  ASSERT_THAT(log_->DeleteTrimmed(25), IsOk());
  EXPECT_FALSE(Exists(10));
  EXPECT_TRUE(Exists(20));
  EXPECT_TRUE(Exists(30));
  ASSERT_THAT(log_->DeleteTrimmed(40), IsOk());
  EXPECT_FALSE(Exists(30));
  EXPECT_TRUE(Exists(40));
}

TEST_F(PartitionTrimTest, TrimReturnsWhenWhatAnotherDeletesIsGoneToo) {
  FillFiveSegments();
  files_.HoldCallNamed("Directory::RemoveFile " + LogPath(10));
  std::thread first([&] { EXPECT_THAT(log_->TrimBefore(40), IsOk()); });
  files_.AwaitHeld();
  std::thread second([&] {
    EXPECT_THAT(log_->TrimBefore(40), IsOk());
    EXPECT_FALSE(Exists(10));
  });
  while (Exists(30)) std::this_thread::yield();  // by the second
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  files_.LetGo();
  first.join();
  second.join();
}

class PartitionTrimEpochsTest : public PartitionTrimTest {
 protected:
  // Segments of ten records; epochs 0, 1, 2 from offsets 0, 15, 25.
  void SetUp() override {
    Recover();
    AppendMany(1);
    config_.segment_bytes = 10 * BatchSize();
    ASSERT_THAT(log_->SetConfig(config_), IsOk());
    AppendMany(14);
    CrashAndRecover();
    AppendMany(10);
    CrashAndRecover();
    AppendMany(10);
    ASSERT_EQ(EpochsOnDisk().entries(),
              (Entries{{.epoch = 0, .start_offset = 0},
                       {.epoch = 1, .start_offset = 15},
                       {.epoch = 2, .start_offset = 25}}));
  }
  using Entries = std::vector<LeaderEpoch>;

  void CrashAndRecover() {
    checkpoint_ = log_->checkpoint();
    Crash();
    Recover();
    EXPECT_THAT(recovered_.report.findings, ::testing::IsEmpty());
    EXPECT_THAT(recovered_.read_only, IsOk());
  }
};

TEST_F(PartitionTrimEpochsTest, EpochWithoutARecordLeftIsTakenOut) {
  ASSERT_THAT(log_->TrimBefore(12), IsOk());
  EXPECT_EQ(EpochsOnDisk().entries().size(), 3u) << "15 is of its second file";
  ASSERT_THAT(log_->TrimBefore(22), IsOk());
  EXPECT_EQ(EpochsOnDisk().entries(),
            (Entries{{.epoch = 1, .start_offset = 20},
                     {.epoch = 2, .start_offset = 25}}));
  ASSERT_THAT(log_->TrimBefore(34), IsOk());
  EXPECT_EQ(EpochsOnDisk().entries(),
            (Entries{{.epoch = 2, .start_offset = 30}}));
  EXPECT_EQ(ReadAll(), Values(34, 35));
  CrashAndRecover();
  EXPECT_EQ(ReadAll(), Values(34, 35));
  AppendMany(1);
  EXPECT_EQ(EpochsOnDisk().entries(),
            (Entries{{.epoch = 2, .start_offset = 30},
                     {.epoch = 3, .start_offset = 35}}));
}

TEST_F(PartitionTrimEpochsTest, CallThatFailsOrCrashesLeavesASoundLog) {
  ASSERT_THAT(log_->Sync(), IsOk());
  checkpoint_ = log_->checkpoint();
  const PartitionCheckpoint before = checkpoint_;
  Crash();
  Save();
  bool was_cut = false;
  bool was_kept = false;
  for (int64_t i = 0; !(was_cut && was_kept) || i < 30; ++i) {
    ASSERT_LT(i, 100);
    SCOPED_TRACE(testing::Message() << "call " << i);
    Restore();
    checkpoint_ = before;
    Recover();
    ASSERT_THAT(log_->MoveLogStart(32), IsOk());
    checkpoint_ = log_->checkpoint();
    files_.ForgetCalls();
    files_.FailCall(i, EIO, FaultyFileSystem::Repeat::kForever);
    // Whether it fails or not, the rest is a log.
    log_->DeleteTrimmed(32).IgnoreError();
    files_.StopFailing();
    (EpochsOnDisk().entries().size() == 1 ? was_cut : was_kept) = true;
    CrashAndRecover();
    ASSERT_EQ(ReadAll(), Values(32, 35));
    ASSERT_EQ(Append(Value(35)), 35);
    ASSERT_THAT(log_->TrimBefore(35), IsOk());
    CrashAndRecover();
    ASSERT_EQ(ReadAll(), Values(35, 36));
  }
}

TEST_F(PartitionTrimTest, RollSealsTheActiveSegmentUnlessItIsEmpty) {
  Recover();
  AppendMany(3);
  ASSERT_THAT(log_->Roll(), IsOk());
  EXPECT_EQ(log_->segment_count(), 2);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(std::filesystem::file_size(LogPath(0)), 3 * BatchSize());
  ASSERT_THAT(log_->Roll(), IsOk());
  EXPECT_EQ(log_->segment_count(), 2);
  ASSERT_THAT(log_->TrimBefore(3), IsOk());
  EXPECT_FALSE(Exists(0));
  AppendMany(2);
  EXPECT_EQ(ReadAll(), Values(3, 5));
}

}  // namespace
}  // namespace varve
