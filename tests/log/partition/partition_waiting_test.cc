// SPDX-License-Identifier: Apache-2.0

// Reads at a level, waiting for it, and event descriptors.

#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/producer_client.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

class PartitionWaitingTest : public PartitionFixture {
 protected:
  int64_t EndOf(ReadLevel level) { return log_->readable_end(level); }
  absl::Status TryWait(int64_t offset, ReadLevel level) {
    return log_->WaitFor(offset, absl::InfinitePast(), level);
  }
  static bool IsReadable(const AppendEvent& event) {
    pollfd polled = {.fd = event.descriptor(), .events = POLLIN, .revents = 0};
    return poll(&polled, 1, 0) == 1;
  }
};

TEST_F(PartitionWaitingTest, DurableReadDoesNotSeeWhatIsOnlyVisible) {
  Recover();
  Append(Value(0), Durability::kSynced);
  Append(Value(1), Durability::kMemory);
  EXPECT_EQ(log_->Read(0, {.level = ReadLevel::kDurable})->next_offset(), 1);
  EXPECT_TRUE(log_->Read(1, {.level = ReadLevel::kDurable})->empty());
  EXPECT_EQ(log_->Read(0, {.level = ReadLevel::kVisible})->next_offset(), 2);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->Read(0, {.level = ReadLevel::kDurable})->next_offset(), 2);
}

TEST_F(PartitionWaitingTest, DefaultLevelIsDurableUntilTheFirstWeakAppend) {
  Recover();
  Append(Value(0), Durability::kSynced);
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(TryAppend(Value(1), Durability::kSynced),
              StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(log_->visible_end(), 2);
  EXPECT_EQ(EndOf(ReadLevel::kDefault), 1);
  EXPECT_EQ(EndOf(ReadLevel::kVisible), 2);
}

TEST_F(PartitionWaitingTest, DefaultLevelIsVisibleFromTheFirstWeakAppendOn) {
  Recover();
  Append(Value(0), Durability::kSynced);
  Append(Value(1), Durability::kInterval);
  EXPECT_EQ(EndOf(ReadLevel::kDefault), 2);
}

TEST_F(PartitionWaitingTest, WaitReturnsWhatItsLevelSees) {
  Recover();
  Append(Value(0), Durability::kMemory);
  EXPECT_THAT(TryWait(0, ReadLevel::kVisible), IsOk());
  EXPECT_THAT(TryWait(0, ReadLevel::kDurable),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(TryWait(0, ReadLevel::kDurable), IsOk());
}

TEST_F(PartitionWaitingTest, SyncWakesThoseWhoWaitForTheDurableEnd) {
  Recover();
  Append(Value(0), Durability::kMemory);
  absl::Status waited = absl::UnknownError("not yet");
  std::thread waiter([&] {
    waited = log_->WaitFor(0, absl::InfiniteFuture(), ReadLevel::kDurable);
  });
  absl::SleepFor(absl::Milliseconds(20));
  ASSERT_THAT(log_->Sync(), IsOk());
  waiter.join();
  EXPECT_THAT(waited, IsOk());
}

TEST_F(PartitionWaitingTest, TrimIntoAnOpenTransactionWakesCommittedReads) {
  Recover();
  const ProducerClient client = {.transactional = Transactional::kYes};
  RecordBatchBuilder batch = client.Batch(0);
  ASSERT_THAT(log_->Append(batch.Finish(), Durability::kMemory), IsOk());
  AppendMany(3);
  ASSERT_THAT(log_->Sync(), IsOk());
  absl::Status waited = absl::UnknownError("not yet");
  std::thread waiter([&] {
    waited = log_->WaitFor(0, absl::InfiniteFuture(), ReadLevel::kVisible,
                           Isolation::kReadCommitted);
  });
  absl::SleepFor(absl::Milliseconds(20));
  ASSERT_THAT(log_->TrimBefore(2), IsOk());
  waiter.join();
  EXPECT_THAT(waited, IsOk());
}

TEST_F(PartitionWaitingTest, FailedSyncWakesWaitersWithItsError) {
  Recover();
  Append(Value(0), Durability::kMemory);
  absl::Status waited;
  std::thread waiter(
      [&] { waited = log_->WaitFor(5, absl::InfiniteFuture()); });
  absl::SleepFor(absl::Milliseconds(20));
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(log_->Sync(), StatusIs(absl::StatusCode::kUnknown));
  waiter.join();
  EXPECT_THAT(waited, StatusIs(absl::StatusCode::kUnknown));
}

TEST_F(PartitionWaitingTest, EventIsReadableAfterAnAppendUntilItIsCleared) {
  Recover();
  const auto event = log_->NewAppendEvent();
  ASSERT_THAT(event, IsOk());
  EXPECT_FALSE(IsReadable(**event));
  AppendMany(3);
  EXPECT_TRUE(IsReadable(**event));
  (*event)->Clear();
  EXPECT_FALSE(IsReadable(**event));
  AppendMany(1);
  EXPECT_TRUE(IsReadable(**event));
}

TEST_F(PartitionWaitingTest, CloseMakesEventsReadable) {
  Recover();
  const auto event = log_->NewAppendEvent();
  ASSERT_THAT(event, IsOk());
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_TRUE(IsReadable(**event));
  EXPECT_THAT(log_->NewAppendEvent(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(PartitionWaitingTest, DroppedEventIsForgotten) {
  Recover();
  auto event = log_->NewAppendEvent();
  ASSERT_THAT(event, IsOk());
  const std::weak_ptr<AppendEvent> dropped = *event;
  event->reset();
  EXPECT_TRUE(dropped.expired());
  AppendMany(1);
}

// A reader that clears, reads to the end and polls again sees every record.
TEST_F(PartitionWaitingTest, NoAppendIsUnheardByAnEventLoop) {
  constexpr int64_t kRecords = 20'000;
  Recover();
  const auto event = log_->NewAppendEvent();
  ASSERT_THAT(event, IsOk());
  std::thread appender([&] {
    for (int64_t i = 0; i < kRecords; ++i) {
      if (!TryAppend("x").ok()) return;
    }
  });
  int64_t next = 0;
  while (next < kRecords) {
    pollfd polled = {
        .fd = (*event)->descriptor(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&polled, 1, 60'000), 1) << "an append was not heard";
    (*event)->Clear();
    while (true) {
      const auto view = log_->Read(next, {.level = ReadLevel::kVisible});
      ASSERT_THAT(view, IsOk());
      if (view->empty()) break;
      next = view->next_offset();
    }
  }
  appender.join();
  EXPECT_EQ(next, kRecords);
}

}  // namespace
}  // namespace varve
