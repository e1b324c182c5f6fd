// SPDX-License-Identifier: Apache-2.0

// PartitionLog::AppendAsync: each callback is called once, in the order of the
// offsets, when its append is durable.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/partition/append_async_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Code = absl::StatusCode;

class PartitionAppendAsyncTest : public AppendAsyncFixture {
 protected:
  LogMeters& meters() { return log_->meters().store(); }
};

// When it is called.

TEST_F(PartitionAppendAsyncTest, CallbackIsDueWhenASyncCoversTheAppend) {
  Recover();
  const auto appended = TryAppendAsync("a");
  ASSERT_THAT(appended, IsOk());
  EXPECT_EQ(appended->offset, 0);
  EXPECT_EQ(log_->visible_end(), 1);
  EXPECT_EQ(log_->durable_end(), 0);
  EXPECT_THAT(CallBack(), IsEmpty());
  ASSERT_THAT(log_->Sync(), IsOk());
  const auto ended = CallBackForStatus();
  ASSERT_THAT(ended, SizeIs(1));
  ASSERT_THAT(ended[0], IsOk());
  EXPECT_EQ(ended[0]->offset, 0);
  EXPECT_EQ(ended[0]->next_offset, 1);
  EXPECT_EQ(ended[0]->timestamp, appended->timestamp);
  EXPECT_THAT(CallBack(), IsEmpty());
}

TEST_F(PartitionAppendAsyncTest, SyncIsDueAtOnceAndAskedForOnce) {
  Recover();
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
  AppendAsync("a");
  AppendAsync("b");
  EXPECT_EQ(log_->SyncDue(), absl::InfinitePast());
  EXPECT_EQ(listener_->syncs_wanted, 1);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
  AppendAsync("c");
  EXPECT_EQ(listener_->syncs_wanted, 2);
}

TEST_F(PartitionAppendAsyncTest, OneSyncCompletesAllInTheOrderOfTheOffsets) {
  Recover();
  EXPECT_EQ(AppendAsync("a"), 0);
  EXPECT_EQ(Append("b", Durability::kMemory), 1);
  EXPECT_EQ(AppendAsync("c"), 2);
  EXPECT_EQ(AppendAsync("d"), 3);
  files_.ForgetCalls();
  ASSERT_THAT(log_->Sync(), IsOk());
  const std::vector<std::string> calls = files_.calls();
  EXPECT_EQ(std::ranges::count(calls, "File::Sync " + LogPath(0)), 1);
  EXPECT_THAT(CallBack(), ElementsAre(0, 2, 3));
}

TEST_F(PartitionAppendAsyncTest, AppendDuringASyncWaitsForTheNextOne) {
  Recover();
  AppendAsync("a");
  files_.HoldCallNamed("File::Sync");
  std::thread syncing([&] { EXPECT_THAT(log_->Sync(), IsOk()); });
  files_.AwaitHeld();
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
  AppendAsync("b");
  EXPECT_EQ(log_->SyncDue(), absl::InfinitePast());
  files_.LetGo();
  syncing.join();
  EXPECT_THAT(CallBack(), ElementsAre(0));
  EXPECT_EQ(log_->SyncDue(), absl::InfinitePast());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(1));
}

TEST_F(PartitionAppendAsyncTest, SyncOfASyncedAppendCompletesThoseBeforeIt) {
  Recover();
  AppendAsync("a");
  Append("b", Durability::kSynced);
  EXPECT_THAT(CallBack(), ElementsAre(0));
}

TEST_F(PartitionAppendAsyncTest, ParkingCompletesThem) {
  Recover();
  AppendAsync("a");
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_FALSE(log_->holds_segments());
  EXPECT_THAT(CallBack(), ElementsAre(0));
  EXPECT_EQ(AppendAsync("b"), 1);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(1));
}

TEST_F(PartitionAppendAsyncTest, CloseSyncsAndCompletesThem) {
  Recover();
  AppendAsync("a");
  AppendAsync("b");
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(0, 1));
  EXPECT_THAT(TryAppendAsync("c"), StatusIs(Code::kFailedPrecondition));
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_THAT(CallBack(), IsEmpty());
}

TEST_F(PartitionAppendAsyncTest, TrimPastTheDurableEndCompletesThem) {
  Recover();
  AppendAsync("a");
  AppendAsync("b");
  ASSERT_THAT(log_->TrimBefore(1), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(0, 1));
}

TEST_F(PartitionAppendAsyncTest, WholeBatchHasOneCallbackWithItsOffsets) {
  Recover();
  Append("a");
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "b"}, 1000), IsOk());
  ASSERT_THAT(builder.Append({.value = "c"}, 2000), IsOk());
  ASSERT_THAT(log_->AppendAsync(builder.Finish(),
                                [this](absl::StatusOr<AppendResult> ended) {
                                  ended_.push_back(std::move(ended));
                                }),
              IsOk());
  ASSERT_THAT(log_->Sync(), IsOk());
  const auto ended = CallBackForStatus();
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0]->offset, 1);
  EXPECT_EQ(ended[0]->next_offset, 3);
}

TEST_F(PartitionAppendAsyncTest, DefaultReadSeesItWhenItIsDurable) {
  Recover();
  AppendAsync("a");
  EXPECT_EQ(log_->readable_end(ReadLevel::kDefault), 0);
  EXPECT_EQ(log_->readable_end(ReadLevel::kVisible), 1);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->readable_end(ReadLevel::kDefault), 1);
}

TEST_F(PartitionAppendAsyncTest, CallbackMayAppendAgain) {
  Recover();
  ASSERT_THAT(log_->AppendAsync(Record{.value = "a"},
                                [&](absl::StatusOr<AppendResult> ended) {
                                  ended_.push_back(std::move(ended));
                                  EXPECT_EQ(AppendAsync("b"), 1);
                                }),
              IsOk());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(0));
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(1));
}

TEST_F(PartitionAppendAsyncTest, AppendSyncsItselfWhenTooManySegmentsWait) {
  config_.segment_bytes = 200;
  Recover();
  while (log_->segment_count() < 9) AppendAsync("value");
  EXPECT_GT(log_->durable_end(), 0);
  EXPECT_EQ(std::ssize(CallBack()), log_->durable_end());
}

// What does not call it.

TEST_F(PartitionAppendAsyncTest, RefusedAppendDropsItsCallback) {
  config_.max_message_bytes = 200;
  Recover();
  const auto captured = std::make_shared<int>(0);
  EXPECT_THAT(log_->AppendAsync(Record{.value = std::string(1000, 'v')},
                                [captured](const auto&) { ++*captured; }),
              StatusIs(Code::kInvalidArgument));
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_EQ(log_->visible_end(), 0);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(CallBack(), IsEmpty());
}

TEST_F(PartitionAppendAsyncTest,
       AppendBeyondTheLimitIsRefusedUntilOneIsCalled) {
  config_.segment_bytes = 64 << 20;
  Recover();
  for (int64_t i = 0; i < kPendingAppendsMax; ++i)
    ASSERT_THAT(TryAppendAsync(""), IsOk());
  const auto refused =
      StatusIs(Code::kResourceExhausted, HasSubstr("65536 appends wait"));
  EXPECT_THAT(TryAppendAsync(""), refused);
  EXPECT_EQ(log_->visible_end(), kPendingAppendsMax);
  // Those that are durable and were not called yet take memory, too.
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(TryAppendAsync(""), refused);
  EXPECT_EQ(Append("x"), kPendingAppendsMax);
  EXPECT_THAT(CallBack(), SizeIs(kPendingAppendsMax));
  EXPECT_EQ(AppendAsync(""), kPendingAppendsMax + 1);
}

TEST_F(PartitionAppendAsyncTest, RefusedAppendsTakeNoneOfTheLimit) {
  config_.max_message_bytes = 200;
  config_.segment_bytes = 64 << 20;
  Recover();
  const std::string large(1000, 'v');
  for (int64_t i = 0; i < 2 * kPendingAppendsMax; ++i) {
    ASSERT_EQ(TryAppendAsync(large).status().code(), Code::kInvalidArgument);
  }
  EXPECT_EQ(AppendAsync("a"), 0);
}

// All together.

TEST_F(PartitionAppendAsyncTest, TheyAreCountedAsWaiters) {
  Recover();
  AppendAsync("a");
  AppendAsync("b");
  EXPECT_EQ(meters().waiters.value(), 2);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(meters().waiters.value(), 0);
  EXPECT_EQ(meters().finished_waits.value(), 2);
  AppendAsync("c");
  log_->Abandon();
  EXPECT_EQ(meters().waiters.value(), 0);
  EXPECT_EQ(meters().cancelled_waits.value(), 1);
}

TEST_F(PartitionAppendAsyncTest, ManyThreadsGetEachCallbackOnceAndInOrder) {
  constexpr int64_t kThreads = 3;
  constexpr int64_t kAppends = 2000;
  config_.segment_bytes = 16 << 10;
  Recover();
  std::vector<int64_t> offsets;  // of the thread that calls back
  std::atomic<int64_t> left = kThreads;
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int64_t append = 0; append < kAppends; ++append) {
        const auto appended = log_->AppendAsync(
            Record{.value = "value"},
            [&](const absl::StatusOr<AppendResult>& ended) {
              ASSERT_THAT(ended, IsOk());
              EXPECT_LE(ended->next_offset, log_->durable_end());
              offsets.push_back(ended->offset);
            });
        EXPECT_THAT(appended, IsOk());
      }
      --left;
    });
  }
  while (left > 0) {
    EXPECT_THAT(log_->Sync(), IsOk());
    listener_->CallBack();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(log_->Sync(), IsOk());
  listener_->CallBack();
  ASSERT_EQ(std::ssize(offsets), kThreads * kAppends);
  for (int64_t i = 0; i < kThreads * kAppends; ++i)
    ASSERT_EQ(offsets[static_cast<size_t>(i)], i);
}

}  // namespace
}  // namespace varve
