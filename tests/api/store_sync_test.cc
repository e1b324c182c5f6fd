// SPDX-License-Identifier: Apache-2.0

// LogStore::Sync and SyncAll: many partitions become durable side by side, and
// one that fails keeps no other from it.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/partition_failure.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/append_result.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Code = absl::StatusCode;

constexpr int32_t kPartitions = 20;

// Whether the process has a thread that helps with syncs.
bool HasHelper() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::any_of(begin(tasks), end(tasks), [](const auto& task) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    std::getline(file, name);
    return name == "varve-helper";
  });
}

class StoreSyncTest : public StoreFixture {
 protected:
  StoreOptions Options() override {
    StoreOptions options;
    options.environment.files = &files_;
    options.background = background_;
    return options;
  }
  // Opens a store with a record in each partition that is not durable.
  void OpenWith(Background background) {
    background_ = background;
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = kPartitions}),
                IsOk());
    for (int32_t i = 0; i < kPartitions; ++i) {
      ASSERT_THAT(Orders(i).Append({.value = "a"}, Durability::kMemory),
                  IsOk());
      ASSERT_EQ(Orders(i).durable_end(), 0);
    }
  }
  std::vector<Partition> All() {
    std::vector<Partition> partitions;
    partitions.reserve(kPartitions);
    for (int32_t i = 0; i < kPartitions; ++i) partitions.push_back(Orders(i));
    return partitions;
  }
  // The indexes of the partitions that are not durable to their end.
  std::vector<int32_t> NotDurable() {
    std::vector<int32_t> indexes;
    for (const Partition& orders : All()) {
      if (orders.durable_end() < orders.visible_end())
        indexes.push_back(orders.index());
    }
    return indexes;
  }
  std::string SyncOf(int32_t index) const {
    return absl::StrCat("File::Sync ", path_, "/orders-", index, "/");
  }
  void FailSyncOf(int32_t index) {
    files_.FailCallsNamed(SyncOf(index), EIO, FaultyFileSystem::Repeat::kOnce);
  }
  static std::vector<int32_t> IndexesOf(
      const std::vector<PartitionFailure>& failures) {
    std::vector<int32_t> indexes;
    for (const PartitionFailure& failure : failures) {
      EXPECT_EQ(failure.partition.topic, "orders");
      indexes.push_back(failure.partition.partition);
    }
    return indexes;
  }

  FaultyFileSystem files_;
  Background background_ = Background::kNone;
};

// What it makes durable.

TEST_F(StoreSyncTest, EachPartitionThatWasGivenIsDurableAndNoOther) {
  for (Background background : {Background::kNone, Background::kOwnThreads}) {
    OpenWith(background);
    std::vector<Partition> some = All();
    some.pop_back();
    std::vector<PartitionFailure> failures(1);
    EXPECT_THAT(store_->Sync(some, &failures), IsOk());
    EXPECT_THAT(failures, IsEmpty());
    EXPECT_THAT(NotDurable(), ElementsAre(kPartitions - 1));
    EXPECT_THAT(store_->Sync({Orders(kPartitions - 1), Orders(0)}), IsOk());
    EXPECT_THAT(NotDurable(), IsEmpty());
    EXPECT_THAT(store_->Sync({}), IsOk());
    store_ = nullptr;
    std::filesystem::remove_all(path_);
  }
}

TEST_F(StoreSyncTest, SyncAllMakesTheWholeStoreDurable) {
  for (Background background : {Background::kNone, Background::kOwnThreads}) {
    OpenWith(background);
    ASSERT_THAT(store_->CreateTopic("more"), IsOk());
    auto more = store_->partition("more", 0);
    ASSERT_THAT(more, IsOk());
    ASSERT_THAT(more->Append({.value = "a"}, Durability::kInterval), IsOk());
    ASSERT_THAT(
        store_->CommitOffset("group", "orders", 0, 1, Durability::kMemory),
        IsOk());
    EXPECT_THAT(store_->SyncAll(), IsOk());
    EXPECT_THAT(NotDurable(), IsEmpty());
    EXPECT_EQ(more->durable_end(), 1);
    EXPECT_EQ(store_->Metrics().holdings.unsynced_bytes, 0);
    store_ = nullptr;
    std::filesystem::remove_all(path_);
  }
}

TEST_F(StoreSyncTest, CompletesAppendAsync) {
  OpenWith(Background::kNone);
  int64_t durable = 0;
  for (Partition& orders : All()) {
    ASSERT_THAT(
        orders.AppendAsync({.value = "b"},
                           [&](const absl::StatusOr<AppendResult>& ended) {
                             durable += ended.ok() ? 1 : 0;
                           }),
        IsOk());
  }
  ASSERT_THAT(store_->SyncAll(), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(durable, kPartitions);
}

// Whose threads.

TEST_F(StoreSyncTest, SlowSyncOfOnePartitionHoldsUpNoOther) {
  OpenWith(Background::kOwnThreads);
  files_.HoldCallNamed(SyncOf(0));
  std::thread syncing([&] { EXPECT_THAT(store_->Sync(All()), IsOk()); });
  files_.AwaitHeld();
  while (NotDurable() != std::vector<int32_t>{0})
    absl::SleepFor(absl::Milliseconds(1));
  files_.LetGo();
  syncing.join();
  EXPECT_THAT(NotDurable(), IsEmpty());
}

TEST_F(StoreSyncTest, StoreWithoutBackgroundStartsNoThreadForIt) {
  OpenWith(Background::kNone);
  files_.HoldCallNamed(SyncOf(3));
  std::thread syncing([&] { EXPECT_THAT(store_->SyncAll(), IsOk()); });
  files_.AwaitHeld();
  EXPECT_FALSE(HasHelper());
  EXPECT_EQ(Orders(0).durable_end(), 1);
  EXPECT_EQ(Orders(4).durable_end(), 0);
  files_.LetGo();
  syncing.join();
}

// Failures.

TEST_F(StoreSyncTest, FailureKeepsNoOtherFromBeingSyncedAndIsNamed) {
  for (Background background : {Background::kNone, Background::kOwnThreads}) {
    OpenWith(background);
    FailSyncOf(3);
    std::vector<PartitionFailure> failures;
    const absl::Status status = store_->SyncAll(&failures);
    EXPECT_THAT(status, StatusIs(Code::kUnknown));
    EXPECT_THAT(IndexesOf(failures), ElementsAre(3));
    EXPECT_EQ(failures[0].status, status);
    EXPECT_THAT(NotDurable(), ElementsAre(3));
    // The poison is returned again.
    EXPECT_EQ(store_->Sync({Orders(2), Orders(3)}), status);
    store_ = nullptr;
    std::filesystem::remove_all(path_);
  }
}

TEST_F(StoreSyncTest, FirstFailureIsThatOfTheFirstPartitionGiven) {
  OpenWith(Background::kOwnThreads);
  FailSyncOf(7);
  FailSyncOf(2);
  std::vector<PartitionFailure> failures;
  const absl::Status status =
      store_->Sync({Orders(1), Orders(7), Orders(0), Orders(2)}, &failures);
  EXPECT_THAT(IndexesOf(failures), ElementsAre(7, 2));
  EXPECT_EQ(status, failures[0].status);
  EXPECT_EQ(Orders(7).Sync(), status);
}

TEST_F(StoreSyncTest, DeletedTopicIsAFailureOnlyWhereItWasGiven) {
  OpenWith(Background::kNone);
  const std::vector<Partition> deleted = {Orders(0)};
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  std::vector<PartitionFailure> failures;
  EXPECT_THAT(store_->Sync(deleted, &failures), StatusIs(Code::kNotFound));
  EXPECT_THAT(IndexesOf(failures), ElementsAre(0));
  EXPECT_THAT(store_->SyncAll(&failures), IsOk());
  EXPECT_THAT(failures, IsEmpty());
}

TEST_F(StoreSyncTest, EmptyHandleIsAFailureWithoutAName) {
  OpenWith(Background::kNone);
  std::vector<PartitionFailure> failures;
  EXPECT_THAT(store_->Sync({Orders(0), Partition(), Orders(1)}, &failures),
              StatusIs(Code::kFailedPrecondition));
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].partition.topic, "");
}

TEST_F(StoreSyncTest, ClosedStoreSyncsNothing) {
  OpenWith(Background::kNone);
  const std::vector<Partition> all = All();
  ASSERT_THAT(store_->Close(), IsOk());
  std::vector<PartitionFailure> failures(1);
  EXPECT_THAT(store_->Sync(all, &failures),
              StatusIs(Code::kFailedPrecondition));
  EXPECT_THAT(failures, IsEmpty());
  EXPECT_THAT(store_->SyncAll(), StatusIs(Code::kFailedPrecondition));
}

}  // namespace
}  // namespace varve
