// SPDX-License-Identifier: Apache-2.0

// PartitionLog::AppendAsync of a log that fails, or is deleted: each callback
// is called once, and says how its append has ended.

#include <cerrno>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/log/partition/append_async_fixture.h"
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
using Repeat = FaultyFileSystem::Repeat;

class PartitionAppendAsyncFaultsTest : public AppendAsyncFixture {
 protected:
  // A log with three segments, two of them sealed and not synced.
  void FillThreeSegments() {
    config_.segment_bytes = 128 << 10;
    Recover();
    while (log_->segment_count() < 3) Append(std::string(10000, 'x'));
  }
};

// Failures.

TEST_F(PartitionAppendAsyncFaultsTest, FailedSyncCompletesAllWithItsError) {
  Recover();
  AppendAsync("a");
  AppendAsync("b");
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  const absl::Status poison = log_->Sync();
  EXPECT_THAT(poison, StatusIs(Code::kUnknown));
  const auto ended = CallBackForStatus();
  ASSERT_THAT(ended, SizeIs(2));
  EXPECT_EQ(ended[0].status(), poison);
  EXPECT_EQ(ended[1].status(), poison);
  EXPECT_EQ(TryAppendAsync("c").status(), poison);
  EXPECT_THAT(CallBack(), IsEmpty());
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
}

TEST_F(PartitionAppendAsyncFaultsTest,
       FailedSyncCompletesThoseThatCameDuringIt) {
  Recover();
  AppendAsync("a");
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  files_.HoldCallNamed("File::Sync");
  std::thread syncing(
      [&] { EXPECT_THAT(log_->Sync(), StatusIs(Code::kUnknown)); });
  files_.AwaitHeld();
  AppendAsync("b");
  files_.LetGo();
  syncing.join();
  EXPECT_THAT(CallBackForStatus(),
              ElementsAre(StatusIs(Code::kUnknown), StatusIs(Code::kUnknown)));
}

TEST_F(PartitionAppendAsyncFaultsTest,
       FailedSyncOfAnotherThreadIsAskedForAgain) {
  FillThreeSegments();
  AppendAsync("a");
  const int before = listener_->syncs_wanted;
  files_.HoldCallNamed("File::Truncate");
  files_.FailCallsNamed("File::Truncate", ENOSPC, Repeat::kOnce);
  std::thread syncing(
      [&] { EXPECT_THAT(log_->Sync(), StatusIs(Code::kResourceExhausted)); });
  files_.AwaitHeld();
  // Who looks now finds nothing to do, and sleeps.
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
  EXPECT_EQ(listener_->syncs_wanted, before);
  files_.LetGo();
  syncing.join();
  EXPECT_EQ(listener_->syncs_wanted, before + 1);
  EXPECT_LT(log_->SyncDue(), absl::InfiniteFuture());
  EXPECT_THAT(CallBack(), IsEmpty());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(log_->visible_end() - 1));
}

TEST_F(PartitionAppendAsyncFaultsTest,
       SyncForWhichThereIsNoRoomKeepsThemWaiting) {
  FillThreeSegments();
  AppendAsync("a");
  files_.FailCallsNamed("File::Truncate", ENOSPC, Repeat::kOnce);
  ASSERT_THAT(log_->Sync(), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(CallBack(), IsEmpty());
  EXPECT_GT(log_->SyncDue(), clock_.Steady());
  EXPECT_LT(log_->SyncDue(), absl::InfiniteFuture());
  AppendAsync("b");
  EXPECT_GT(log_->SyncDue(), clock_.Steady());
  ASSERT_THAT(log_->Sync(), IsOk());
  const int64_t end = log_->visible_end();
  EXPECT_THAT(CallBack(), ElementsAre(end - 2, end - 1));
}

TEST_F(PartitionAppendAsyncFaultsTest, FailedWriteCompletesThoseBeforeIt) {
  Recover();
  AppendAsync("a");
  files_.FailCallsNamed("File::Allocate", EIO, Repeat::kOnce);
  const absl::Status poison =
      TryAppendAsync(std::string(100'000, 'x')).status();
  EXPECT_THAT(poison, StatusIs(Code::kUnknown));
  const auto ended = CallBackForStatus();
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0].status(), poison);
}

TEST_F(PartitionAppendAsyncFaultsTest, FullDiskCompletesNothing) {
  Recover();
  AppendAsync("a");
  files_.FailCallsNamed("File::Allocate", ENOSPC, Repeat::kForever);
  EXPECT_THAT(TryAppendAsync(std::string(100'000, 'x')),
              StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(CallBack(), IsEmpty());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(0));
}

// The end of the log.

TEST_F(PartitionAppendAsyncFaultsTest, CloseForWhichThereIsNoRoomCancelsThem) {
  Recover();
  AppendAsync("a");
  files_.FailCallsNamed("File::Truncate", ENOSPC, Repeat::kOnce);
  ASSERT_THAT(log_->Close(), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(CallBackForStatus(),
              ElementsAre(StatusIs(Code::kCancelled, HasSubstr("closed"))));
}

TEST_F(PartitionAppendAsyncFaultsTest,
       CloseWhoseSyncFailsCompletesThemWithItsError) {
  Recover();
  AppendAsync("a");
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  ASSERT_THAT(log_->Close(), StatusIs(Code::kUnknown));
  EXPECT_THAT(CallBackForStatus(), ElementsAre(StatusIs(Code::kUnknown)));
}

TEST_F(PartitionAppendAsyncFaultsTest, DeletionCompletesThemWithNotFound) {
  Recover();
  AppendAsync("a");
  ASSERT_THAT(log_->Sync(), IsOk());
  AppendAsync("b");
  log_->Abandon();
  EXPECT_THAT(CallBackForStatus(),
              ElementsAre(IsOk(), StatusIs(Code::kNotFound)));
  EXPECT_THAT(TryAppendAsync("c"), StatusIs(Code::kNotFound));
  EXPECT_THAT(CallBack(), IsEmpty());
}

TEST_F(PartitionAppendAsyncFaultsTest, DeletionDuringASyncCompletesThemOnce) {
  Recover();
  AppendAsync("a");
  files_.HoldCallNamed("File::Sync");
  std::thread syncing([&] { log_->Sync().IgnoreError(); });  // by its effect
  files_.AwaitHeld();
  AppendAsync("b");
  log_->Abandon();
  files_.LetGo();
  syncing.join();
  EXPECT_THAT(CallBackForStatus(), ElementsAre(StatusIs(Code::kNotFound),
                                               StatusIs(Code::kNotFound)));
}

}  // namespace
}  // namespace varve
