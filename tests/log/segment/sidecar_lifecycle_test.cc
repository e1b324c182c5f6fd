// SPDX-License-Identifier: Apache-2.0

// When a partition writes, continues and removes the sidecars of its segments
// (log/FORMAT.md, section 18, invariants I14 and I15).

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/log/segment/sidecar_fixture.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/segment_sidecar.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Repeat = FaultyFileSystem::Repeat;

using SidecarLifecycleTest = SidecarFixture;

TEST_F(SidecarLifecycleTest, SyncBehindARollWritesThatOfEachSealedSegment) {
  Fill(8);
  EXPECT_THAT(Sidecars(), IsEmpty());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0), SidecarFileName(3)));
  EXPECT_EQ(Read(0), Expected(0));
  EXPECT_EQ(Read(3), Expected(3));
}

TEST_F(SidecarLifecycleTest, IsDurableBeforeTheDurableEndPassesTheSegment) {
  Fill(4);
  files_.ForgetCalls();
  ASSERT_THAT(log_->Sync(), IsOk());
  std::vector<std::string> calls;
  for (const std::string& call : files_.calls()) {
    const size_t space = call.find(' ');
    const std::string what = call.substr(0, space);
    const std::string file = call.substr(call.rfind('/') + 1);
    if (file.starts_with("sealed")) calls.push_back(what + " " + file);
    if (what == "Directory::Sync") calls.push_back(what);
  }
  const std::string temporary = SidecarFileName(0) + ".tmp";
  EXPECT_THAT(
      calls,
      ElementsAre("Directory::OpenFile " + temporary,
                  "File::Truncate " + temporary, "File::WriteAt " + temporary,
                  "File::Sync " + temporary, "Directory::Rename " + temporary,
                  "Directory::Sync"));
  EXPECT_EQ(log_->durable_end(), 4);
}

TEST_F(SidecarLifecycleTest, CloseWritesThatOfTheLastSegment) {
  Fill(5);
  CloseCleanly();
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0), SidecarFileName(3)));
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, ParkWritesItAndTheNextAppendRemovesItFirst) {
  Fill(5);
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_EQ(Read(3), Expected(3));
  files_.ForgetCalls();
  AppendMany(1);
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0)));
  EXPECT_THAT(files_.calls(),
              Contains("Directory::RemoveFile " + SidecarPath(3)));
  CloseCleanly();
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_EQ(Read(3).next_offset, 6);
}

// The sync of a park does not hold the lock; an append during it continues the
// segment afterwards.
TEST_F(SidecarLifecycleTest,
       ParkBesideAnAppendLeavesNoneBesideAnActiveSegment) {
  Fill(5);
  std::thread append;
  files_.RunBefore("File::Sync " + LogPath(3),
                   [&] { append = std::thread([this] { AppendMany(1); }); });
  ASSERT_THAT(log_->Park(), IsOk());
  append.join();
  ASSERT_EQ(log_->visible_end(), 6);
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0)));
  AppendMany(1);
  CloseCleanly();
  EXPECT_EQ(Read(6).next_offset, 7);
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, TrimOfEverythingBesideARollLeavesNone) {
  Fill(3);
  ASSERT_THAT(log_->Sync(), IsOk());
  listener_->on_checkpoint_change = [this] { AppendMany(1); };
  ASSERT_THAT(log_->TrimBefore(3), IsOk());
  ASSERT_EQ(log_->segment_count(), 1);
  ASSERT_EQ(log_->visible_end(), 4);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(Sidecars(), IsEmpty());
  EXPECT_THAT(NamesIn(path_, "00000000000000000000"), IsEmpty());
  CloseCleanly();
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(3)));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, NothingIsAppendedWhenItCannotBeRemoved) {
  Fill(5);
  CloseCleanly();
  OpenClean();
  const std::string log = FileOf(3, SegmentFileKind::kLog);
  files_.FailCallsNamed("Directory::RemoveFile " + SidecarPath(3), EIO,
                        Repeat::kOnce);
  EXPECT_FALSE(TryAppend("value").ok());
  EXPECT_EQ(FileOf(3, SegmentFileKind::kLog), log);
  EXPECT_EQ(Append(Value(5)), 5);
  CloseCleanly();
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, CloseSyncsItsName) {
  Fill(2);
  CloseCleanly();
  OpenClean();
  AppendMany(1);
  files_.ForgetCalls();
  CloseCleanly();
  const std::vector<std::string> calls = files_.calls();
  EXPECT_EQ(calls.back(), "Directory::Sync " + path_);
  EXPECT_EQ(calls.at(calls.size() - 2),
            "Directory::Rename " + SidecarPath(0) + ".tmp");
}

TEST_F(SidecarLifecycleTest, EmptySegmentHasOne) {
  Fill(3);
  ASSERT_THAT(log_->Roll(), IsOk());
  CloseCleanly();
  EXPECT_EQ(Read(3), (SegmentSidecar{.base_offset = 3,
                                     .next_offset = 3,
                                     .index_crc = 0,
                                     .time_index_crc = 0}));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, TrimRemovesItBeforeTheLog) {
  Fill(8);
  files_.ForgetCalls();
  ASSERT_THAT(log_->TrimBefore(6), IsOk());
  EXPECT_THAT(Sidecars(), IsEmpty());
  std::vector<std::string> removed;
  for (const std::string& call : files_.calls()) {
    if (call.starts_with("Directory::RemoveFile")) {
      removed.push_back(call.substr(call.rfind('/') + 1));
    }
  }
  ASSERT_FALSE(removed.empty());
  EXPECT_EQ(removed.front(), SidecarFileName(0));
}

TEST_F(SidecarLifecycleTest, FullDiskLeavesItOutAndPoisonsNothing) {
  Fill(4);
  files_.FailCallsNamed("File::WriteAt " + SidecarPath(0), ENOSPC,
                        Repeat::kForever);
  EXPECT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->durable_end(), 4);
  EXPECT_THAT(Sidecars(), IsEmpty()) << "the temporary one included";
  AppendMany(1);
  CloseCleanly();
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(3)));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, FailureAtEveryCallOfASyncLosesNothing) {
  for (int64_t i = 0;; ++i) {
    SCOPED_TRACE(i);
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    checkpoint_ = {};
    config_.segment_bytes = 1 << 20;
    Fill(5);
    files_.ForgetCalls();
    files_.FailCall(i, EIO, Repeat::kOnce);
    const bool synced = log_->Sync().ok();
    const bool failed = files_.call_count() > i;
    files_.StopFailing();
    if (synced) checkpoint_ = log_->checkpoint();
    Crash();
    Recover();
    EXPECT_EQ(ReadAll(), Values(0, 5));
    CloseCleanly();
    EXPECT_THAT(Findings(), IsEmpty());
    if (!failed) break;
  }
}

}  // namespace
}  // namespace varve
