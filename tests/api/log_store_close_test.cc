// SPDX-License-Identifier: Apache-2.0

// LogStore::Close beside calls of other threads: it gives the store's lock back
// when all of them are over.

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

constexpr auto kClosed = absl::StatusCode::kFailedPrecondition;

class LogStoreCloseTest : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    TopicConfig config;
    config.log.segment_bytes = 16384;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
    const std::string value(1000, 'v');
    for (int i = 0; i < 100; ++i) {
      ASSERT_THAT(Orders().Append({.value = value}, Durability::kMemory),
                  IsOk());
    }
    ASSERT_THAT(Orders().Sync(), IsOk());
  }

  void Open() {
    StoreOptions options;
    options.environment.files = &files_;
    options.background = Background::kNone;
    auto opened = LogStore::Open(path_, options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }
  Partition Orders() { return *store_->partition("orders", 0); }

  // Runs `call` up to a system call whose name begins with `held`, closes the
  // store meanwhile, and expects that no other writer can open it before the
  // call is over.
  void ExpectCloseWaitsFor(const std::string& held,
                           const std::function<absl::Status()>& call) {
    files_.HoldCallNamed(held);
    std::thread caller([&] { EXPECT_THAT(call(), IsOk()); });
    files_.AwaitHeld();
    absl::Notification closed;
    std::thread closer([&] {
      EXPECT_THAT(store_->Close(), IsOk());
      closed.Notify();
    });
    // Time enough for a close that does not wait.
    closed.WaitForNotificationWithTimeout(absl::Milliseconds(200));
    EXPECT_THAT(LogStore::Open(path_), StatusIs(kClosed));
    EXPECT_FALSE(closed.HasBeenNotified());
    files_.LetGo();
    caller.join();
    closer.join();
    store_ = nullptr;
    Open();
    EXPECT_TRUE(store_->recovery_report().clean);
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_.path() + "/store";
  FaultyFileSystem files_;
  std::unique_ptr<LogStore> store_;
};

TEST_F(LogStoreCloseTest, WaitsForATrimThatDeletesFiles) {
  Partition orders = Orders();
  ExpectCloseWaitsFor("Directory::RemoveFile",
                      [&] { return orders.TrimBefore(90); });
  EXPECT_EQ(Orders().log_start(), 90);
}

TEST_F(LogStoreCloseTest, WaitsForATrimThatWritesTheCheckpoint) {
  Partition orders = Orders();
  ExpectCloseWaitsFor("Directory::Rename",
                      [&] { return orders.TrimBefore(90); });
  EXPECT_EQ(Orders().log_start(), 90);
}

TEST_F(LogStoreCloseTest, WaitsForMaintenance) {
  // It syncs the segment that these fill.
  const std::string value(1000, 'v');
  for (int i = 0; i < 20; ++i)
    ASSERT_THAT(Orders().Append({.value = value}, Durability::kMemory), IsOk());
  ExpectCloseWaitsFor("File::Sync",
                      [&] { return store_->RunMaintenance().status(); });
}

TEST_F(LogStoreCloseTest, WaitsForACommitThatCreatesItsTopic) {
  ExpectCloseWaitsFor("Directory::CreateDirectory", [&] {
    return store_->CommitOffset("group", "orders", 0, 50);
  });
  const auto committed = store_->CommittedOffset("group", "orders", 0);
  ASSERT_THAT(committed, IsOk());
  EXPECT_EQ(committed->offset, 50);
}

TEST_F(LogStoreCloseTest, WaitsForAPartitionThatIsBeingOpened) {
  ASSERT_THAT(store_->AddPartitions("orders", 2), IsOk());
  ExpectCloseWaitsFor("Directory::List",
                      [&] { return store_->partition("orders", 1).status(); });
}

TEST_F(LogStoreCloseTest, WaitsForASyncOfAnAppendThatOthersDoNotNeed) {
  Partition orders = Orders();
  ExpectCloseWaitsFor("File::Sync", [&] {
    return orders.Append({.value = "v"}, Durability::kSynced).status();
  });
  EXPECT_EQ(Orders().visible_end(), 101);
}

TEST_F(LogStoreCloseTest, WaitsForASyncOfAllPartitions) {
  ASSERT_THAT(Orders().Append({.value = "v"}, Durability::kMemory), IsOk());
  ExpectCloseWaitsFor("File::Sync", [&] { return store_->SyncAll(); });
}

TEST_F(LogStoreCloseTest, CallsAfterItAreRefused) {
  Partition orders = Orders();
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(orders.TrimBefore(90), StatusIs(kClosed));
  EXPECT_THAT(orders.Stats(), StatusIs(kClosed));
  EXPECT_THAT(orders.OffsetForTime(absl::UnixEpoch()), StatusIs(kClosed));
  EXPECT_THAT(store_->RunMaintenance(), StatusIs(kClosed));
  EXPECT_THAT(store_->partition("orders", 0), StatusIs(kClosed));
  EXPECT_THAT(store_->CommitOffset("group", "orders", 0, 5), StatusIs(kClosed));
  EXPECT_THAT(store_->ListGroups(), StatusIs(kClosed));
  EXPECT_THAT(store_->DeleteTopic("orders"), StatusIs(kClosed));
}

}  // namespace
}  // namespace varve
