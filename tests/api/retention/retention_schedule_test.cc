// SPDX-License-Identifier: Apache-2.0

// Retention is due by its own time, not by that of a process: programs that
// each run for a moment delete as one does that runs for years; and what a call
// promises is done when it returns.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/retention_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/retention/retention_clock.h"
#include "varve/api/retention/retention_state.h"
#include "varve/api/topic_changes.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr absl::Duration kTenYears = absl::Hours(24 * 3650);

class RetentionScheduleTest : public RetentionFixture {
 protected:
  const std::string state_ = path_ + "/varve.retention";

  // How often retention has checked the whole store, by the file it leaves.
  int64_t Looks() {
    int64_t looks = 0;
    for (const std::string& call : files_.calls()) {
      if (call == "Directory::Rename " + state_ + ".tmp") ++looks;
    }
    return looks;
  }
  // Makes the deletion of the first segment's file fail.
  void FailToDelete() {
    files_.FailCallsNamed(
        "Directory::RemoveFile " + path_ + "/orders-0/00000000000000000000.log",
        EIO, FaultyFileSystem::Repeat::kForever);
  }
  absl::Status Alter(const std::string& name, const std::string& value) {
    return store_->AlterTopic("orders", {.set = {{name, value}}});
  }
};

TEST_F(RetentionScheduleTest, ProcessesThatLiveForAMomentDeleteWhatIsTooOld) {
  OpenWithTopic();
  for (int i = 0; i < 60; ++i) {
    Append();
    clock_.Advance(absl::Hours(1));
    Reopen();
  }
  EXPECT_GE(Orders().log_start(), 60 - 24 - 2);
  EXPECT_LE(Orders().log_start(), 60 - 24);
  EXPECT_LE(LogFiles(), 24 / 2 + 2);
}

TEST_F(RetentionScheduleTest, ProcessesThatLiveForAMomentDeleteWhatIsTooMuch) {
  config_.log.retention_ms = -1;
  config_.log.retention_bytes = 500;
  OpenWithTopic();
  for (int i = 0; i < 100; ++i) {
    AppendAt(clock_.Now(), 0, Durability::kMemory);
    Reopen();
    ASSERT_LE(LogFiles(), 5) << i;
  }
  EXPECT_GE(Orders().log_start(), 90);
}

TEST_F(RetentionScheduleTest, ProcessesThatAreKilledDeleteWithTheNextOpen) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  const std::string copy = path_ + ".copy";
  for (int i = 0; i < 2; ++i) {
    std::filesystem::copy(path_, copy,
                          std::filesystem::copy_options::recursive);
    store_ = nullptr;
    std::filesystem::remove_all(path_);
    std::filesystem::rename(copy, path_);
    clock_.Advance(2 * kDay);
    Open();
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    EXPECT_EQ(Orders().log_start(), 6);
    EXPECT_EQ(LogFiles(), 1);
  }
}

TEST_F(RetentionScheduleTest, LookIsDueAnIntervalAfterThatOfAnotherProcess) {
  OpenWithTopic();
  files_.ForgetCalls();
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Looks(), 1);
  for (int i = 0; i < 4; ++i) {
    clock_.Advance(absl::Minutes(1));
    Reopen();
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    EXPECT_EQ(Looks(), 1) << i;
  }
  clock_.Advance(absl::Minutes(1));
  Reopen();
  EXPECT_EQ(Looks(), 2);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Looks(), 2) << "the close has looked";
}

TEST_F(RetentionScheduleTest, WithoutRetentionNothingIsLookedAtNorKept) {
  config_.log.retention_ms = -1;
  OpenWithTopic();
  clock_.Advance(kDay);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_FALSE(std::filesystem::exists(state_));
}

TEST_F(RetentionScheduleTest, StateThatCannotBeReadIsAsNone) {
  OpenWithTopic();
  Append();
  for (const char* text :
       {"", "\1\2\3", "varve.retention 1\n9 9\ncrc32c 0\n"}) {
    ASSERT_THAT(store_->Close(), IsOk());
    std::ofstream(state_, std::ios::trunc) << text;
    Open();
    files_.ForgetCalls();
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    EXPECT_EQ(Looks(), 1) << text;
  }
}

TEST_F(RetentionScheduleTest, StateThatCannotBeWrittenKeepsNothingFromGoing) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  files_.FailCallsNamed("Directory::Rename " + state_, ENOSPC,
                        FaultyFileSystem::Repeat::kForever);
  Pass(2 * kDay);
  EXPECT_EQ(Orders().log_start(), 6);
  EXPECT_THAT(store_->Close(), IsOk());
}

TEST_F(RetentionScheduleTest, DoubtOfTheClockOutlivesTheProcess) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  Maintain();
  Reopen();
  clock_.SetBack(-kTenYears);
  for (int i = 0; i < 20; ++i) {
    Pass(absl::Minutes(30));
    ASSERT_EQ(Orders().log_start(), 0) << i;
    Reopen();
  }
  clock_.SetBack(kTenYears);
  Reopen();
  Maintain();
  EXPECT_EQ(Orders().log_start(), 0);
  Pass(kDay);
  EXPECT_EQ(Orders().log_start(), 6);
}

TEST_F(RetentionScheduleTest, LowerLimitHasActedWhenAlterTopicReturns) {
  config_.partitions = 3;
  OpenWithTopic();
  for (int32_t p = 0; p < 2; ++p) {
    for (int i = 0; i < 20; ++i) Append(p);
  }
  Reopen();
  // One that is open, one that is not, and one that is empty.
  ASSERT_EQ(Orders(0).log_start(), 0);
  ASSERT_THAT(Alter("retention.bytes", "1"), IsOk());
  for (int32_t p = 0; p < 2; ++p) {
    EXPECT_EQ(LogFiles(p), 1) << p;
    EXPECT_GE(Orders(p).log_start(), 18) << p;
    EXPECT_EQ(Orders(p).visible_end(), 20) << p;
  }
  clock_.Advance(absl::Hours(2));
  ASSERT_THAT(Alter("retention.ms", "3600000"), IsOk());
  for (int32_t p = 0; p < 3; ++p) {
    EXPECT_EQ(LogFiles(p), p < 2 ? 1 : 0) << p;
    EXPECT_EQ(Orders(p).log_start(), Orders(p).visible_end()) << p;
  }
}

TEST_F(RetentionScheduleTest, LowerLimitThatCannotActIsNoFailureAndIsDueStill) {
  OpenWithTopic();
  for (int i = 0; i < 20; ++i) Append();
  FailToDelete();
  EXPECT_THAT(Alter("retention.bytes", "1"), IsOk());
  EXPECT_EQ(LogFiles(), 2);
  files_.StopFailing();
  Maintain();
  EXPECT_EQ(LogFiles(), 1);
}

// The process died between a durable trim and the unlinking.
TEST_F(RetentionScheduleTest, FilesBelowTheLogStartGoWhenThePartitionIsOpen) {
  config_.log.retention_ms = -1;
  OpenWithTopic();
  for (int i = 0; i < 20; ++i) Append();
  FailToDelete();
  EXPECT_FALSE(Orders().TrimBefore(20).ok());
  ASSERT_THAT(store_->Close(), IsOk());
  files_.StopFailing();
  ASSERT_GT(LogFiles(), 1);
  Open();
  EXPECT_EQ(Orders().log_start(), 20);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_EQ(LogFiles(), 1);
}

// On the store's own threads: the check at the open, and one that Close
// finishes when the thread did not get its turn.
TEST_F(RetentionScheduleTest, StoresThreadsNeedNoTimeToActByTheClose) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  ASSERT_THAT(store_->Close(), IsOk());
  clock_.Advance(2 * kDay);
  auto own = LogStore::Open(
      path_, {.environment = {.files = &files_, .clock = &clock_}});
  ASSERT_THAT(own, IsOk());
  ASSERT_THAT((*own)->Close(), IsOk());
  EXPECT_EQ(LogFiles(), 1);
}

TEST(RetentionState, IsReadAsItWasWritten) {
  const RetentionClock::State state = {
      .wall = absl::FromUnixMillis(1700000000123),
      .believed = absl::FromUnixMillis(-5),
      .doubted_for = absl::Milliseconds(77)};
  const auto read = ParseRetentionState(FormatRetentionState(state));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->wall, state.wall);
  EXPECT_EQ(read->believed, state.believed);
  EXPECT_EQ(read->doubted_for, state.doubted_for);
}

}  // namespace
}  // namespace varve
