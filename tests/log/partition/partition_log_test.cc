// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_log.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

class PartitionLogTest : public PartitionFixture {
 protected:
  PartitionLogTest() { config_.index_interval_bytes = 0; }

  absl::StatusOr<AppendResult> TryAppendAt(int64_t timestamp_ms) {
    return log_->Append(Record{.value = "value",
                               .timestamp = absl::FromUnixMillis(timestamp_ms)},
                        Durability::kMemory);
  }
  absl::StatusOr<AppendResult> AppendBatch(int count, Durability durability) {
    RecordBatchBuilder builder;
    for (int i = 0; i < count; ++i) {
      EXPECT_THAT(builder.Append({.value = "value"}, clock_.Now()), IsOk());
    }
    return log_->Append(builder.Finish(), durability);
  }
  int64_t now_ms() { return absl::ToUnixMillis(clock_.Now()); }
};

// Appending and reading.

TEST_F(PartitionLogTest, OffsetsContinueOverRollsAndReopens) {
  config_.segment_bytes = 200;
  Recover();
  AppendMany(10);
  EXPECT_EQ(log_->segment_count(), 5);
  EXPECT_EQ(ReadAll(), Values(0, 10));
  CloseCleanly();
  OpenClean();
  AppendMany(5);
  EXPECT_EQ(ReadAll(), Values(0, 15));
}

TEST_F(PartitionLogTest, ResultHasOffsetAndTimestamp) {
  Recover();
  const auto first = TryAppend("a");
  EXPECT_EQ(first->offset, 0);
  EXPECT_EQ(first->timestamp, clock_.Now());
  EXPECT_EQ(TryAppendAt(5)->timestamp, absl::FromUnixMillis(5));
}

TEST_F(PartitionLogTest, BatchTakesItsOffsetsAtOnce) {
  Recover();
  AppendMany(1);
  EXPECT_EQ(AppendBatch(3, Durability::kMemory)->offset, 1);
  EXPECT_EQ(log_->visible_end(), 4);
  EXPECT_EQ(log_->Read(2, {})->begin().operator*().base_offset(), 1);
}

TEST_F(PartitionLogTest, BatchWhoseAppendWasCutShortIsGoneWhole) {
  Recover();
  AppendMany(1);
  const auto size = static_cast<size_t>(BatchSize());
  ASSERT_THAT(AppendBatch(3, Durability::kMemory), IsOk());
  Crash();
  const std::string bytes = ReadBytes(LogPath(0));
  for (size_t cut = size + 1; cut < size + 80; ++cut) {
    WriteBytes(LogPath(0), bytes.substr(0, cut));
    Recover();
    ASSERT_EQ(log_->visible_end(), 1) << cut;
  }
}

TEST_F(PartitionLogTest, ReadBeyondTheBoundsNamesThem) {
  checkpoint_ = {.log_start = 5, .recovery_point = 5};
  Recover();
  AppendMany(2);
  for (int64_t offset : {-1, 4, 8}) {
    EXPECT_THAT(
        log_->Read(offset, {}),
        StatusIs(Code::kOutOfRange,
                 AllOf(HasSubstr("offset " + std::to_string(offset)),
                       HasSubstr("starts at 5"), HasSubstr("before 7"))));
  }
}

TEST_F(PartitionLogTest, ReadAtTheEndIsEmpty) {
  Recover();
  EXPECT_TRUE(log_->Read(0, {})->empty());
  AppendMany(2);
  const auto view = log_->Read(2, {});
  ASSERT_THAT(view, IsOk());
  EXPECT_TRUE(view->empty());
  EXPECT_EQ(view->next_offset(), 2);
}

TEST_F(PartitionLogTest, SegmentFileThatIsGoneIsDataLoss) {
  config_.segment_bytes = 200;
  Recover();
  AppendMany(6);
  CloseCleanly();
  OpenClean();
  std::filesystem::remove(LogPath(2));
  EXPECT_THAT(log_->Read(1, {}), IsOk());
  EXPECT_THAT(log_->Read(2, {}), StatusIs(Code::kDataLoss));
  EXPECT_THAT(log_->Read(4, {}), IsOk());
}

TEST_F(PartitionLogTest, ViewsOutliveRollCloseAndTheLog) {
  config_.segment_bytes = 200;
  Recover();
  AppendMany(1);
  RecordBatches view = *log_->Read(0, {});
  AppendMany(9);
  CloseCleanly();
  std::filesystem::remove_all(path_);
  RecordBatches::Records records = view.records();
  EXPECT_EQ(records.Next()->value(), Value(0));
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_THAT(records.status(), IsOk());
}

// Rolling.

TEST_F(PartitionLogTest, SegmentThatWouldGrowTooLargeRolls) {
  Recover();
  AppendMany(1);
  const int64_t size = BatchSize();
  CloseCleanly();
  config_.segment_bytes = 3 * size;
  OpenClean();
  AppendMany(2);
  EXPECT_EQ(log_->segment_count(), 1);
  AppendMany(1);
  EXPECT_EQ(log_->segment_count(), 2);
  EXPECT_EQ(std::filesystem::file_size(LogPath(0)), 3 * size);
}

TEST_F(PartitionLogTest, RecordsTimeRollsTheSegment) {
  config_.segment_ms = 1000;
  Recover();
  ASSERT_THAT(TryAppendAt(5000), IsOk());
  ASSERT_THAT(TryAppendAt(6000), IsOk());
  EXPECT_EQ(log_->segment_count(), 1);
  ASSERT_THAT(TryAppendAt(6001), IsOk());
  EXPECT_EQ(log_->segment_count(), 2);
}

TEST_F(PartitionLogTest, StampedTimeRollsTheSegment) {
  config_.segment_ms = 1000;
  config_.message_timestamp_type = TimestampType::kLogAppendTime;
  Recover();
  ASSERT_THAT(TryAppendAt(5), IsOk());
  clock_.Advance(absl::Milliseconds(1001));
  ASSERT_THAT(TryAppendAt(5), IsOk());
  EXPECT_EQ(log_->segment_count(), 2);
}

TEST_F(PartitionLogTest, JitterIsTakenOffTheSegmentsTime) {
  config_.segment_ms = 1000;
  config_.segment_jitter_ms = 100;  // the random number is 7
  Recover();
  ASSERT_THAT(TryAppendAt(5000), IsOk());
  ASSERT_THAT(TryAppendAt(5993), IsOk());
  EXPECT_EQ(log_->segment_count(), 1);
  ASSERT_THAT(TryAppendAt(5994), IsOk());
  EXPECT_EQ(log_->segment_count(), 2);
}

TEST_F(PartitionLogTest, FullIndexRollsTheSegment) {
  config_.segment_index_bytes = 80;  // ten offset entries, five time entries
  Recover();
  for (int64_t i = 0; i < 11; ++i) ASSERT_THAT(TryAppendAt(5000), IsOk());
  EXPECT_EQ(log_->segment_count(), 1);
  ASSERT_THAT(TryAppendAt(5000), IsOk());
  EXPECT_EQ(log_->segment_count(), 2);
  for (int64_t i = 0; i < 8; ++i) ASSERT_THAT(TryAppendAt(6000 + i), IsOk());
  EXPECT_EQ(log_->segment_count(), 3);
}

// Time.

TEST_F(PartitionLogTest, StampedTimeNeverGoesBack) {
  config_.message_timestamp_type = TimestampType::kLogAppendTime;
  Recover();
  const absl::Time first = TryAppendAt(5)->timestamp;
  EXPECT_EQ(first, clock_.Now());
  clock_.SetBack(absl::Hours(1));
  EXPECT_EQ(TryAppendAt(5)->timestamp, first);
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(TryAppendAt(5)->timestamp, clock_.Now());
  EXPECT_EQ(log_->Read(1, {})->begin().operator*().max_timestamp_ms(),
            absl::ToUnixMillis(first));
}

TEST_F(PartitionLogTest, StampedTimeNeverGoesBackOverAReopen) {
  config_.message_timestamp_type = TimestampType::kLogAppendTime;
  Recover();
  const absl::Time first = TryAppendAt(5)->timestamp;
  CloseCleanly();
  clock_.SetBack(absl::Hours(1));
  OpenClean();
  EXPECT_EQ(TryAppendAt(5)->timestamp, first);
}

TEST_F(PartitionLogTest, TimestampsTooFarFromNowAreRefused) {
  config_.message_timestamp_before_max_ms = 1000;
  config_.message_timestamp_after_max_ms = 500;
  Recover();
  EXPECT_THAT(TryAppendAt(now_ms() - 1000), IsOk());
  EXPECT_THAT(TryAppendAt(now_ms() + 500), IsOk());
  EXPECT_THAT(TryAppendAt(now_ms() - 1001),
              StatusIs(Code::kInvalidArgument, HasSubstr("before.max.ms")));
  EXPECT_THAT(TryAppendAt(now_ms() + 501),
              StatusIs(Code::kInvalidArgument, HasSubstr("after.max.ms")));
  EXPECT_EQ(log_->visible_end(), 2);
}

// Limits.

TEST_F(PartitionLogTest, BatchAboveTheLimitsIsRefusedAndNothingChanges) {
  config_.max_message_bytes = 100;
  Recover();
  EXPECT_THAT(TryAppend(std::string(30, 'x')), IsOk());
  EXPECT_THAT(TryAppend(std::string(100, 'x')),
              StatusIs(Code::kInvalidArgument, HasSubstr("max.message.bytes")));
  EXPECT_THAT(AppendBatch(10, Durability::kMemory),
              StatusIs(Code::kInvalidArgument));
  EXPECT_EQ(log_->visible_end(), 1);
  EXPECT_THAT(TryAppend("y"), IsOk());
}

TEST_F(PartitionLogTest, BatchLargerThanASegmentIsRefused) {
  config_.segment_bytes = 100;
  Recover();
  EXPECT_THAT(TryAppend(std::string(100, 'x')),
              StatusIs(Code::kInvalidArgument, HasSubstr("segment.bytes")));
}

// Waiting.

TEST_F(PartitionLogTest, WaitReturnsWhenTheRecordArrives) {
  Recover();
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  std::thread waiter([&] {
    EXPECT_THAT(log_->WaitFor(1, deadline), IsOk());
    EXPECT_LT(absl::Now(), deadline) << "it was not woken";
  });
  absl::SleepFor(absl::Milliseconds(50));  // most likely it waits by then
  AppendMany(2);
  waiter.join();
  EXPECT_THAT(log_->WaitFor(0, absl::InfinitePast()), IsOk());
}

TEST_F(PartitionLogTest, WaitEndsAtItsDeadline) {
  Recover();
  EXPECT_THAT(log_->WaitFor(0, absl::Now() + absl::Milliseconds(5)),
              StatusIs(Code::kDeadlineExceeded));
}

TEST_F(PartitionLogTest, CloseCancelsWaiters) {
  Recover();
  std::thread waiter([&] {
    EXPECT_THAT(log_->WaitFor(0, absl::InfiniteFuture()),
                StatusIs(Code::kCancelled));
  });
  EXPECT_THAT(log_->Close(), IsOk());
  waiter.join();
  EXPECT_THAT(log_->WaitFor(0, absl::InfiniteFuture()),
              StatusIs(Code::kCancelled));
}

// Closing.

TEST_F(PartitionLogTest, CloseIsIdempotentAndEndsCalls) {
  Recover();
  AppendMany(2);
  EXPECT_THAT(log_->Close(), IsOk());
  EXPECT_THAT(log_->Close(), IsOk());
  EXPECT_EQ(log_->durable_end(), 2);
  EXPECT_THAT(TryAppend("new"), StatusIs(Code::kFailedPrecondition));
  EXPECT_THAT(log_->Read(0, {}), StatusIs(Code::kFailedPrecondition));
}

TEST_F(PartitionLogTest, CloseTrimsTheFiles) {
  Recover();
  AppendMany(3);
  const int64_t size = BatchSize();
  CloseCleanly();
  EXPECT_EQ(std::filesystem::file_size(LogPath(0)), 3 * size);
  EXPECT_EQ(ReadBytes(path_ + "/00000000000000000000.index").size(), 16);
}

TEST_F(PartitionLogTest, CloseWithoutAChangeTouchesNoFile) {
  Recover();
  AppendMany(1);
  CloseCleanly();
  OpenClean();
  files_.ForgetCalls();
  EXPECT_THAT(log_->Close(), IsOk());
  EXPECT_EQ(files_.call_count(), 0);
  EXPECT_EQ(listener_->first_changes, 1);
}

TEST_F(PartitionLogTest, CloseThatCannotTrimReportsIt) {
  Recover();
  AppendMany(1);
  files_.FailCallsNamed("File::Truncate", EIO, Repeat::kOnce);
  const absl::Status failure = log_->Close();
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  EXPECT_EQ(log_->Close(), failure);
  Recover();
  EXPECT_EQ(ReadAll(), Values(0, 1));
}

TEST_F(PartitionLogTest, RefusedFirstChangeChangesNothing) {
  Recover();
  listener_->before_first_change = absl::UnavailableError("no");
  EXPECT_THAT(TryAppend("new"), StatusIs(Code::kUnavailable));
  EXPECT_EQ(log_->visible_end(), 0);
  EXPECT_THAT(NamesIn(path_), ::testing::IsEmpty());
  listener_->before_first_change = absl::OkStatus();
  EXPECT_EQ(Append("new"), 0);
}

TEST_F(PartitionLogTest, FailedCheckpointOfTheEpochAppendsNothing) {
  Recover();
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  EXPECT_THAT(TryAppend("new"), StatusIs(Code::kUnknown));
  EXPECT_EQ(log_->visible_end(), 0);
  EXPECT_EQ(Append("new"), 0);
  EXPECT_EQ(EpochsOnDisk().highest(), 0);
}

}  // namespace
}  // namespace varve
