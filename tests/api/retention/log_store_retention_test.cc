// SPDX-License-Identifier: Apache-2.0

// Retention through the public interface, on the program's own thread and
// clock.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/retention_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/index/big_endian.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::Duration kTenYears = absl::Hours(24 * 3650);

class LogStoreRetentionTest : public RetentionFixture {};

TEST_F(LogStoreRetentionTest, SegmentsThatAreTooOldGoAndTheOthersStay) {
  OpenWithTopic();
  for (int i = 0; i < 4; ++i) Append();
  Pass(kDay / 2);
  for (int i = 0; i < 3; ++i) Append();
  EXPECT_EQ(LogFiles(), 4);
  Pass(kDay / 2);
  EXPECT_EQ(Orders().log_start(), 4);
  EXPECT_EQ(LogFiles(), 2);
  EXPECT_THAT(Orders().Read(3), StatusIs(absl::StatusCode::kOutOfRange,
                                         HasSubstr("starts at 4")));
  auto records = ReadAll(Orders());
  ASSERT_THAT(records, IsOk());
  EXPECT_THAT(*records, SizeIs(3));
}

TEST_F(LogStoreRetentionTest, NothingGoesBeforeItsTime) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  clock_.Advance(kDay - absl::Minutes(5));
  Maintain();
  EXPECT_EQ(Orders().log_start(), 0);
  EXPECT_EQ(LogFiles(), 3);
}

TEST_F(LogStoreRetentionTest, RetentionBytesKeepsAtLeastSoMuch) {
  config_.log.retention_ms = -1;
  config_.log.retention_bytes = 500;
  OpenWithTopic();
  for (int i = 0; i < 20; ++i) Append();
  const int64_t bytes = Orders().Read(18, {.max_bytes = 1 << 20})->size_bytes();
  ASSERT_LE(bytes, 200);
  Maintain();
  // The fewest segments that have 500 bytes.
  EXPECT_EQ(LogFiles(), (500 + bytes - 1) / bytes);
  EXPECT_EQ(Orders().log_start(), 20 - 2 * LogFiles());
  EXPECT_EQ(Orders().visible_end(), 20);
}

TEST_F(LogStoreRetentionTest, IdlePartitionEmptiesAndItsOffsetsGoOn) {
  OpenWithTopic();
  for (int i = 0; i < 3; ++i) Append();
  Pass(2 * kDay);
  EXPECT_EQ(Orders().log_start(), 3);
  EXPECT_EQ(Orders().visible_end(), 3);
  EXPECT_EQ(LogFiles(), 1);
  Reopen();
  EXPECT_EQ(Orders().log_start(), 3);
  EXPECT_EQ(Append(), 3);
}

TEST_F(LogStoreRetentionTest, IdleSegmentIsSealedAfterSegmentMsOnce) {
  config_.log.retention_ms = absl::ToInt64Milliseconds(10 * kDay);
  config_.log.segment_ms = absl::ToInt64Milliseconds(kDay);
  OpenWithTopic();
  Append();
  Pass(kDay / 2);
  EXPECT_EQ(LogFiles(), 1);
  Pass(kDay);
  EXPECT_EQ(LogFiles(), 2);
  Pass(2 * kDay);
  EXPECT_EQ(LogFiles(), 2);
  EXPECT_EQ(Orders().log_start(), 0);
}

TEST_F(LogStoreRetentionTest, WithoutLimitsOrWithCompactionNothingGoes) {
  config_.log.cleanup_policy = CleanupPolicy::kCompact;
  OpenWithTopic();
  ASSERT_THAT(store_->CreateTopic("kept", {}), IsOk());
  ASSERT_THAT(store_->partition("kept", 0)->Append({.value = "a"}), IsOk());
  for (int i = 0; i < 6; ++i) Append();
  Pass(400 * kDay);
  EXPECT_EQ(Orders().log_start(), 0);
  EXPECT_EQ(store_->partition("kept", 0)->log_start(), 0);
}

TEST_F(LogStoreRetentionTest, ZeroAndFutureTimestampsNeitherDeleteNorPin) {
  config_.partitions = 3;
  OpenWithTopic();
  for (int i = 0; i < 4; ++i) {
    AppendAt(absl::UnixEpoch(), 0);
    AppendAt(absl::FromUnixMillis(absl::ToUnixSeconds(clock_.Now())), 1);
    AppendAt(clock_.Now() + kTenYears, 2);
  }
  Pass(kDay / 2);
  for (int p = 0; p < 3; ++p) EXPECT_EQ(Orders(p).log_start(), 0) << p;
  Pass(kDay);
  for (int p = 0; p < 3; ++p) EXPECT_EQ(Orders(p).log_start(), 4) << p;
}

// The age comes from the batches, also in a partition that is not open.
TEST_F(LogStoreRetentionTest, TimeIndexThatSaysTooLateATimeKeepsNothing) {
  config_.partitions = 2;
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) {
    Append(0);
    Append(1);
  }
  ASSERT_THAT(store_->Close(), IsOk());
  for (const std::string partition : {"/orders-0/", "/orders-1/"}) {
    for (int64_t base : {0, 2, 4}) {
      const std::string segment = absl::StrFormat("%020d", base);
      std::filesystem::remove(path_ + partition + "sealed-" + segment);
      const std::string index = path_ + partition + segment + ".timeindex";
      std::string bytes = ReadBytes(index);
      ASSERT_EQ(bytes.size(), 12);
      StoreBig64(bytes.data(), LoadBig64(bytes.data()) + 30 * 60'000);
      WriteBytes(index, bytes);
    }
  }
  Open();
  ASSERT_EQ(Orders(0).log_start(), 0);
  Pass(kDay);
  EXPECT_EQ(LogFiles(0), 1);
  EXPECT_EQ(LogFiles(1), 1);
  EXPECT_EQ(Orders(0).log_start(), 6);
  EXPECT_EQ(Orders(1).log_start(), 6);
}

TEST_F(LogStoreRetentionTest, ClockTenYearsOffDoesNotWipeTheLog) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  for (absl::Duration jump : {kTenYears, -kTenYears}) {
    clock_.SetBack(-jump);
    Pass(absl::Hours(1));
    EXPECT_EQ(Orders().log_start(), 0) << jump;
    clock_.SetBack(jump);
    Pass(absl::Hours(1));
    EXPECT_EQ(Orders().log_start(), 0) << jump;
  }
  Pass(kDay);
  EXPECT_EQ(Orders().log_start(), 6);
}

TEST_F(LogStoreRetentionTest, ClockTenYearsOffAtTheOpenDoesNotWipeTheLog) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  ASSERT_THAT(store_->Close(), IsOk());
  clock_.SetBack(-kTenYears);
  Open();
  Pass(absl::Hours(1));
  EXPECT_EQ(Orders().log_start(), 0);
}

TEST_F(LogStoreRetentionTest, PartitionsThatAreNotOpenExpireToo) {
  config_.partitions = 3;
  OpenWithTopic();
  for (int i = 0; i < 4; ++i) Append(0);
  for (int i = 0; i < 4; ++i) Append(1);
  Reopen();
  Pass(kDay / 2);
  EXPECT_THAT(store_->recovery_report().partitions, SizeIs(0))
      << "opened without need";
  for (int i = 0; i < 2; ++i) Append(1);
  Pass(kDay / 2 + absl::Hours(1));
  EXPECT_EQ(LogFiles(0), 1);
  EXPECT_EQ(LogFiles(1), 1);
  EXPECT_EQ(Orders(0).log_start(), 4);
  EXPECT_EQ(Orders(1).log_start(), 4);
  EXPECT_EQ(Orders(2).log_start(), 0);
}

TEST_F(LogStoreRetentionTest, ViewOfADeletedSegmentStaysValid) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  auto view = Orders().Read(0);
  ASSERT_THAT(view, IsOk());
  Pass(2 * kDay);
  ASSERT_EQ(Orders().log_start(), 6);
  ASSERT_EQ(LogFiles(), 1);
  ASSERT_THAT(store_->Close(), IsOk());
  store_ = nullptr;
  RecordBatches::Records records = view->records();
  int64_t offset = 0;
  while (const RecordView* record = records.Next()) {
    EXPECT_EQ(record->offset(), offset++);
    EXPECT_EQ(record->value(), "twenty bytes of text");
  }
  EXPECT_THAT(records.status(), IsOk());
  EXPECT_EQ(offset, 2);
}

TEST_F(LogStoreRetentionTest, IndexThatLiesDeletesNothing) {
  OpenWithTopic();
  for (int i = 0; i < 4; ++i) Append();
  ASSERT_THAT(store_->Close(), IsOk());
  // An entry of long ago in place of the first segment's last one.
  const std::string path = path_ + "/orders-0/00000000000000000000.timeindex";
  std::fstream index(path, std::ios::binary | std::ios::in | std::ios::out);
  const std::string old("\0\0\1\x70\0\0\0\0\0\0\0\1", 12);
  index.seekp(-12, std::ios::end) << old;
  index.close();
  Open();
  Pass(absl::Hours(1));
  EXPECT_EQ(Orders().log_start(), 0);
  EXPECT_EQ(LogFiles(), 2);
}

TEST_F(LogStoreRetentionTest, FailureToDeleteIsTriedAgain) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  files_.FailCallsNamed(absl::StrCat("Directory::RemoveFile ", path_,
                                     "/orders-0/00000000000000000002.log"),
                        EIO, FaultyFileSystem::Repeat::kForever);
  Pass(2 * kDay);
  EXPECT_EQ(Orders().log_start(), 6);
  EXPECT_GT(LogFiles(), 1);
  files_.StopFailing();
  Maintain();
  EXPECT_EQ(LogFiles(), 1);
}

TEST_F(LogStoreRetentionTest, CheckpointThatCannotBeWrittenKeepsTheFiles) {
  OpenWithTopic();
  for (int i = 0; i < 6; ++i) Append();
  Maintain();
  files_.FailCallsNamed("Directory::Rename", EIO,
                        FaultyFileSystem::Repeat::kForever);
  Pass(2 * kDay);
  EXPECT_EQ(LogFiles(), 4);
  files_.StopFailing();
  Maintain();
  EXPECT_EQ(LogFiles(), 1);
}

// Runs `body` in a child that is killed at the file system's call `number`, and
// says whether it was.
bool IsKilledAt(int64_t number, FaultyFileSystem& files,
                const std::function<void()>& body) {
  const pid_t child = fork();
  CHECK_GE(child, 0);
  if (child == 0) {
    files.ForgetCalls();
    files.KillAt(number);
    body();
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status);
}

TEST_F(LogStoreRetentionTest, KilledAtAnyCallItLosesNothingAndIsMadeUpFor) {
  OpenWithTopic();
  for (int i = 0; i < 8; ++i) Append();
  ASSERT_THAT(store_->Close(), IsOk());
  clock_.Advance(kDay - absl::Hours(1));
  const std::string before = scratch_.path() + "/before";
  std::filesystem::copy(path_, before,
                        std::filesystem::copy_options::recursive);
  int64_t number = 0;
  bool killed = true;
  for (; killed && !HasFailure(); ++number) {
    SCOPED_TRACE(absl::StrCat("killed at call ", number));
    std::filesystem::remove_all(path_);
    std::filesystem::copy(before, path_,
                          std::filesystem::copy_options::recursive);
    killed = IsKilledAt(number, files_, [&] {
      Open();
      for (int i = 0; i < 3; ++i) Append();
      Pass(absl::Hours(1));
    });
    Open();
    EXPECT_FALSE(store_->recovery_report().has_damage());
    auto records = ReadAll(Orders());
    ASSERT_THAT(records, IsOk());
    EXPECT_THAT(*records, SizeIs(static_cast<size_t>(Orders().visible_end() -
                                                     Orders().log_start())));
    EXPECT_GE(Orders().visible_end(), 8);
    EXPECT_LE(Orders().log_start(), 8);
    const int64_t end = Orders().visible_end();
    Pass(2 * kDay);
    EXPECT_EQ(Orders().log_start(), end);
    EXPECT_EQ(LogFiles(), 1);
    ASSERT_THAT(store_->Close(), IsOk());
    store_ = nullptr;
    clock_.Advance(-2 * kDay - absl::Minutes(5));
  }
  EXPECT_GT(number, 40);
}

}  // namespace
}  // namespace varve
