// SPDX-License-Identifier: Apache-2.0

// A sync that cannot be made for want of descriptors, memory or disk poisons
// nothing, and the next one covers all of it; one that fails poisons, whichever
// thread makes it, and no concurrent call returns OK.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/recovery/set_aside.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

class PartitionSyncFaultsTest : public PartitionFixture {
 protected:
  // Three segments: one sealed, one adopted and sealed, one active.
  void FillThreeSegments() {
    config_.segment_bytes = 128 << 10;
    Recover();
    const std::string large(10000, 'x');
    while (log_->segment_count() < 3) {
      ASSERT_GE(Append(large), 0);
      if (log_->segment_count() == 1) log_->PrepareAhead(1 << 20);
    }
    ASSERT_EQ(NamesIn(path_, "ready-").size(), 3);
    files_.ForgetCalls();
  }
  void StartAnew() {
    Crash();
    files_.StopFailing();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    checkpoint_ = {};
  }
  // Whether every name and every .log was synced since the calls were
  // forgotten.
  void ExpectAllSynced() {
    EXPECT_THAT(files_.calls(), Contains("Directory::Sync " + path_));
    for (const std::string& name : NamesIn(path_)) {
      if (!name.ends_with(".log")) continue;
      // A segment that was a ready one is open by its first name.
      EXPECT_THAT(files_.calls(),
                  Contains(AnyOf(absl::StrCat("File::Sync ", path_, "/", name),
                                 "File::Sync " + path_ + "/ready-log")));
    }
    EXPECT_THAT(NamesIn(path_, "ready"), Not(Contains("ready-log")));
  }
  static bool IsSyncOfTheLog(std::string_view call) {
    return absl::StartsWith(call, "Directory::Sync") ||
           absl::StartsWith(call, "Mapping::Sync") ||
           (absl::StartsWith(call, "File::Sync") &&
            !absl::StrContains(call, "/sealed-"));
  }
};

TEST_F(PartitionSyncFaultsTest, WhatRunsOutBeforeASyncPoisonsNothing) {
  for (int error : {ENOSPC, EMFILE, ENOMEM}) {
    for (int64_t i = 0;; ++i) {
      FillThreeSegments();
      files_.FailCall(i, error, Repeat::kOnce);
      const absl::Status status = log_->Sync();
      const std::vector<std::string> calls = files_.calls();
      if (static_cast<int64_t>(calls.size()) <= i) break;
      const std::string& call = calls[static_cast<size_t>(i)];
      SCOPED_TRACE(absl::StrCat("errno ", error, " at ", call));
      const int64_t end = log_->visible_end();
      if (IsSyncOfTheLog(call)) {
        EXPECT_THAT(status, StatusIs(Code::kUnknown));
        EXPECT_EQ(log_->Sync(), status);
        EXPECT_EQ(TryAppend("new").status(), status);
        EXPECT_EQ(log_->durable_end(), 0);
      } else {
        // The log does without its sidecars.
        const bool of_sidecar = absl::StrContains(call, "/sealed-");
        EXPECT_THAT(status.code(),
                    of_sidecar ? Code::kOk : Code::kResourceExhausted);
        EXPECT_THAT(log_->Sync(), IsOk());
        EXPECT_EQ(log_->durable_end(), end);
        ExpectAllSynced();
        EXPECT_EQ(Append("new", Durability::kSynced), end);
        CloseCleanly();
        OpenClean();
        EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), end + 1);
      }
      StartAnew();
    }
    StartAnew();
  }
}

TEST_F(PartitionSyncFaultsTest, AppendThatCannotBeSyncedYetSaysThatItIsThere) {
  FillThreeSegments();
  const int64_t end = log_->visible_end();
  files_.FailCallsNamed("File::Truncate", ENOSPC, Repeat::kOnce);
  EXPECT_THAT(
      TryAppend("new", Durability::kSynced),
      StatusIs(Code::kUnavailable,
               HasSubstr(absl::StrCat("offset ", end, " is appended"))));
  EXPECT_EQ(log_->visible_end(), end + 1);
  EXPECT_EQ(log_->durable_end(), 0);
  EXPECT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->durable_end(), end + 1);
}

TEST_F(PartitionSyncFaultsTest, TimerWaitsBeforeItTriesAgain) {
  FillThreeSegments();
  ASSERT_EQ(log_->SyncDue(), absl::InfinitePast());
  files_.FailCallsNamed("File::Truncate", ENOSPC, Repeat::kOnce);
  ASSERT_THAT(log_->Sync(), StatusIs(Code::kResourceExhausted));
  EXPECT_GT(log_->SyncDue(), clock_.Steady());
  EXPECT_LT(log_->SyncDue(), absl::InfiniteFuture());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
}

TEST_F(PartitionSyncFaultsTest, IntervalAppendIsStillDueAfterASyncThatWasNot) {
  FillThreeSegments();
  Append("a", Durability::kInterval);
  files_.FailCallsNamed("File::Truncate", ENOSPC, Repeat::kOnce);
  ASSERT_THAT(log_->Sync(), StatusIs(Code::kResourceExhausted));
  clock_.Advance(absl::Milliseconds(1001));
  EXPECT_LE(log_->SyncDue(), clock_.Steady());
  Append("b", Durability::kInterval);
  EXPECT_EQ(log_->durable_end(), log_->visible_end());
}

TEST_F(PartitionSyncFaultsTest, ParkingForWhichThereIsNoRoomIsDoneLater) {
  for (const char* call : {"File::Truncate", "Mapping::ProtectReadOnly"}) {
    SCOPED_TRACE(call);
    Recover();
    AppendMany(3);
    files_.FailCallsNamed(call, ENOMEM, Repeat::kOnce);
    EXPECT_THAT(log_->Park(), StatusIs(Code::kResourceExhausted));
    // The segment is not opened again before it has its length.
    EXPECT_EQ(Append(Value(3)), 3);
    EXPECT_EQ(log_->durable_end(), 3);
    EXPECT_EQ(ReadAll(), Values(0, 4));
    EXPECT_THAT(log_->Park(), IsOk());
    EXPECT_FALSE(log_->holds_segments());
    EXPECT_EQ(ReadAll(), Values(0, 4));
    CloseCleanly();
    OpenClean();
    EXPECT_EQ(ReadAll(), Values(0, 4));
    StartAnew();
  }
}

TEST_F(PartitionSyncFaultsTest,
       EmptySegmentOfAnOldConfigIsClosedBeforeTheNext) {
  config_.segment_bytes = 128 << 10;
  Recover();
  while (log_->segment_count() < 2) Append(std::string(10000, 'x'));
  const int64_t end = log_->visible_end();
  ASSERT_THAT(log_->Roll(), IsOk());
  LogConfig larger = config_;
  larger.segment_bytes = 256 << 10;
  files_.FailCallsNamed("File::Truncate", ENOMEM, Repeat::kOnce);
  EXPECT_THAT(log_->SetConfig(larger), IsOk());
  EXPECT_THAT(TryAppend("new"), StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(Append("new"), end);
  EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), end + 1);
  config_ = larger;
  CloseCleanly();
  OpenClean();
  EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), end + 1);
}

// No record may be appended past the offset in the left-over file's name.
TEST_F(PartitionSyncFaultsTest, RollThatLeftAFileIsDoneBeforeTheNextAppend) {
  config_.segment_bytes = 200;
  Recover();
  AppendMany(2);
  files_.FailCallsNamed(
      "Directory::OpenFile " + path_ + "/00000000000000000002.index", EMFILE,
      Repeat::kOnce);
  files_.FailCallsNamed("Directory::RemoveFile " + LogPath(2), EMFILE,
                        Repeat::kForever);
  EXPECT_THAT(TryAppend(Value(2)), StatusIs(Code::kResourceExhausted));
  ASSERT_TRUE(std::filesystem::exists(LogPath(2)));
  files_.StopFailing();
  EXPECT_EQ(Append(""), 2);
  EXPECT_EQ(log_->segment_count(), 2);
  EXPECT_EQ(Append(Value(3)), 3);
  CloseCleanly();
  OpenClean();
  EXPECT_EQ(ReadAll().size(), 4);
}

// Close is called between a parking's sync and its failure.
TEST_F(PartitionSyncFaultsTest, CloseHearsOfAFailedSyncThatWasUnderWay) {
  Recover();
  AppendMany(3);
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  absl::Status parked;
  absl::Status closed;
  std::thread parking;
  std::thread closing;
  {
    absl::MutexLock no_calls(&files_.calls_under_way());
    parking = std::thread([&] { parked = log_->Park(); });
    absl::SleepFor(absl::Milliseconds(100));
    closing = std::thread([&] { closed = log_->Close(); });
    absl::SleepFor(absl::Milliseconds(100));
  }
  parking.join();
  closing.join();
  EXPECT_THAT(closed, StatusIs(Code::kUnknown));
  EXPECT_THAT(log_->Close(), StatusIs(Code::kUnknown));
}

TEST_F(PartitionSyncFaultsTest, CloseForWhichThereIsNoRoomIsNotCleanForGood) {
  Recover();
  AppendMany(3);
  files_.FailCallsNamed("File::Truncate", ENOSPC, Repeat::kOnce);
  const absl::Status failure = log_->Close();
  EXPECT_THAT(failure, StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(log_->Close(), failure);
}

// After a failed sync.

TEST_F(PartitionSyncFaultsTest, RecoveryGoesByWhatTheDiskHolds) {
  Recover();
  AppendMany(3);
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  ASSERT_THAT(log_->Sync(), StatusIs(Code::kUnknown));
  ASSERT_EQ(ReadAll(), Values(0, 3));
  std::string disk = ReadBytes(LogPath(0));
  const auto first = static_cast<size_t>(BatchSize());
  disk.replace(first, disk.size() - first, disk.size() - first, '\0');
  files_.PretendDisk(LogPath(0), disk);
  Recover();
  EXPECT_EQ(log_->durable_end(), 1);
  EXPECT_EQ(ReadAll(), Values(0, 1));
}

// Neither the epochs nor the bytes after a stop are read from the cache.
TEST_F(PartitionSyncFaultsTest,
       RecoveryReadsNothingUnsyncedBeforeItIsTheDisks) {
  config_.segment_bytes = 200;
  Recover();
  AppendMany(7);
  std::filesystem::remove(path_ + "/leader-epoch-checkpoint");
  Crash();
  files_.ForgetCalls();
  Recover();
  int64_t dropped = 0;
  bool read = false;
  for (const std::string& call : files_.calls()) {
    if (!call.ends_with(".log")) continue;
    if (absl::StartsWith(call, "File::DropCache")) {
      EXPECT_FALSE(read) << call;
      ++dropped;
    }
    read = read || absl::StartsWith(call, "File::Map");
  }
  EXPECT_EQ(dropped, 4);
}

TEST_F(PartitionSyncFaultsTest, CopyThatTheDiskDoesNotHoldIsNoCopy) {
  auto directory = files_.OpenDirectory(path_);
  ASSERT_THAT(directory, IsOk());
  const std::string tail = "a torn tail";
  const auto first = SetAsideBytes(**directory, 0, 50, tail);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(SetAsideBytes(**directory, 0, 50, tail), IsOkAndHolds(*first));
  files_.PretendDisk(path_ + "/" + *first, std::string(tail.size(), '\0'));
  const auto second = SetAsideBytes(**directory, 0, 50, tail);
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(*second, *first);
  EXPECT_EQ(ReadBytes(path_ + "/" + *second), tail);
}

}  // namespace
}  // namespace varve
