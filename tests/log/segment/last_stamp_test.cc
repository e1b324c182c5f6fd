// SPDX-License-Identifier: Apache-2.0

// The stamps of LogAppendTime never decrease: over opens, rolls and changes of
// the config, whatever the clock does.

#include "varve/log/segment/last_stamp.h"

#include <filesystem>
#include <string>

#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

class LastStampTest : public PartitionFixture {
 protected:
  LastStampTest() {
    config_.message_timestamp_type = TimestampType::kLogAppendTime;
  }

  absl::Time AppendAt(absl::Time own_time) {
    const auto result = log_->Append(
        Record{.value = "v", .timestamp = own_time}, Durability::kMemory);
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result->timestamp : absl::InfinitePast();
  }
  absl::Time Stamp() { return AppendAt(absl::UnixEpoch()); }
  // Appends batches with times of their own.
  void AppendUnstamped(absl::Time own_time, int count) {
    SetType(TimestampType::kCreateTime);
    for (int i = 0; i < count; ++i) EXPECT_EQ(AppendAt(own_time), own_time);
  }
  void SetType(TimestampType type) {
    config_.message_timestamp_type = type;
    ASSERT_THAT(log_->SetConfig(config_), IsOk());
  }
  void StampAtTheNextOpen() {
    config_.message_timestamp_type = TimestampType::kLogAppendTime;
  }
  void RemoveSidecars() {
    for (const std::string& name : NamesIn(path_, "sealed-"))
      std::filesystem::remove(path_ + "/" + name);
  }
};

TEST_F(LastStampTest, StampDoesNotGoBackOverACleanOpen) {
  Recover();
  const absl::Time before = Stamp();
  CloseCleanly();
  clock_.SetBack(absl::Hours(1));
  OpenClean();
  EXPECT_EQ(Stamp(), before);
}

TEST_F(LastStampTest, StampDoesNotGoBackOverACrash) {
  Recover();
  const absl::Time before = Stamp();
  Crash();
  clock_.SetBack(absl::Hours(1));
  Recover();
  EXPECT_EQ(Stamp(), before);
}

TEST_F(LastStampTest, StampDoesNotGoBackWhenTheLastSegmentIsEmpty) {
  Recover();
  const absl::Time before = Stamp();
  ASSERT_THAT(log_->Roll(), IsOk());
  CloseCleanly();
  clock_.SetBack(absl::Hours(1));
  OpenClean();
  EXPECT_EQ(Stamp(), before);
}

TEST_F(LastStampTest, StampDoesNotGoBackWithoutSidecars) {
  Recover();
  const absl::Time before = Stamp();
  ASSERT_THAT(log_->Roll(), IsOk());
  CloseCleanly();
  RemoveSidecars();
  clock_.SetBack(absl::Hours(1));
  OpenClean();
  EXPECT_EQ(Stamp(), before);
}

TEST_F(LastStampTest, StampDoesNotGoBackOverARollOrAPark) {
  Recover();
  const absl::Time before = Stamp();
  clock_.SetBack(absl::Hours(1));
  ASSERT_THAT(log_->Roll(), IsOk());
  EXPECT_EQ(Stamp(), before);
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_EQ(Stamp(), before);
}

TEST_F(LastStampTest, StampIsFoundBehindSegmentsOfOtherTimes) {
  config_.segment_bytes = 1024;
  Recover();
  const absl::Time before = Stamp();
  AppendUnstamped(before - absl::Hours(3), 40);
  AppendUnstamped(before + absl::Hours(3), 40);
  ASSERT_GT(log_->segment_count(), 4);
  CloseCleanly();
  clock_.SetBack(absl::Hours(1));
  StampAtTheNextOpen();
  OpenClean();
  EXPECT_EQ(Stamp(), before);
}

TEST_F(LastStampTest, TimesThatProgramsChoseAreNoStamps) {
  Recover();
  AppendUnstamped(clock_.Now() + absl::Hours(100'000), 3);
  CloseCleanly();
  StampAtTheNextOpen();
  OpenClean();
  EXPECT_EQ(Stamp(), clock_.Now());
}

TEST_F(LastStampTest, StampDoesNotGoBackWhenTheTopicStampsAgain) {
  Recover();
  const absl::Time before = Stamp();
  CloseCleanly();
  clock_.SetBack(absl::Hours(1));
  config_.message_timestamp_type = TimestampType::kCreateTime;
  OpenClean();
  AppendUnstamped(clock_.Now(), 2);
  SetType(TimestampType::kLogAppendTime);
  EXPECT_EQ(Stamp(), before);
}

TEST_F(LastStampTest, ClockThatRunsIsFollowed) {
  Recover();
  const absl::Time before = Stamp();
  CloseCleanly();
  clock_.Advance(absl::Seconds(7));
  OpenClean();
  EXPECT_EQ(Stamp(), before + absl::Seconds(7));
}

TEST_F(LastStampTest, ClockBefore1970StampsWith1970) {
  Recover();
  clock_.SetBack(absl::Hours(1'000'000));
  EXPECT_EQ(Stamp(), absl::UnixEpoch());
  SetType(TimestampType::kCreateTime);
  const auto unstamped =
      log_->Append(Record{.value = "v"}, Durability::kMemory);
  ASSERT_THAT(unstamped, IsOk());
  EXPECT_EQ(unstamped->timestamp, absl::UnixEpoch());
}

}  // namespace
}  // namespace varve
