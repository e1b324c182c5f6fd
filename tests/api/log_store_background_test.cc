// SPDX-License-Identifier: Apache-2.0

// Who does the background work of a store: its own threads, or the program's.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// The names of the store's threads. (A sanitizer may have one of its own.)
std::multiset<std::string> ThreadNames() {
  std::multiset<std::string> names;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    std::getline(file, name);
    if (name.starts_with("varve-")) names.insert(name);
  }
  return names;
}

class LogStoreBackgroundTest : public testing::Test {
 protected:
  void Open(Background background) {
    auto opened = LogStore::Open(
        path_, {.background = background, .environment = {.clock = &clock_}});
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }

  void OpenWithTopic(const TopicConfig& config = {}) {
    Open(Background::kNone);
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  }
  Partition Orders() { return *store_->partition("orders", 0); }
  void Append(Durability durability) {
    ASSERT_THAT(Orders().Append({.value = "a"}, durability), IsOk());
  }
  std::string Checkpoint() {
    std::ifstream file(path_ + "/varve.checkpoint");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  ScratchDirectory scratch_;
  std::string path_ = scratch_ / "store";
  ManualClock clock_;
  std::unique_ptr<LogStore> store_;
};

TEST_F(LogStoreBackgroundTest, OwnThreadsAreNamedAndGoneAfterClose) {
  Open(Background::kOwnThreads);
  // A thread names itself as soon as it runs.
  while (!ThreadNames().contains("varve-sync")) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(ThreadNames(), testing::IsEmpty());
}

TEST_F(LogStoreBackgroundTest, StoreWithoutBackgroundStartsNoThread) {
  OpenWithTopic();
  Append(Durability::kInterval);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(ThreadNames(), testing::IsEmpty());
}

TEST_F(LogStoreBackgroundTest, RunMaintenanceSyncsAnAppendWithinItsWindow) {
  OpenWithTopic();
  EXPECT_THAT(store_->RunMaintenance(), IsOkAndHolds(absl::Milliseconds(500)));
  Append(Durability::kInterval);
  clock_.Advance(absl::Milliseconds(499));
  EXPECT_THAT(store_->RunMaintenance(), IsOkAndHolds(absl::Milliseconds(1)));
  EXPECT_EQ(Orders().durable_end(), 0);
  clock_.Advance(absl::Milliseconds(1));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Orders().durable_end(), 1);
}

TEST_F(LogStoreBackgroundTest, ProgramThatSleepsAsToldKeepsEveryWindow) {
  TopicConfig config;
  config.log.flush_ms = 100;
  OpenWithTopic(config);
  std::vector<absl::Time> appended;
  const absl::Time end = clock_.Steady() + absl::Seconds(3);
  while (clock_.Steady() < end) {
    auto next = store_->RunMaintenance();
    ASSERT_THAT(next, IsOk());
    for (auto i = static_cast<size_t>(Orders().durable_end());
         i < appended.size(); ++i) {
      EXPECT_LT(clock_.Steady() - appended[i], absl::Milliseconds(100));
    }
    // As late as can be, and an append in between.
    clock_.Advance(absl::Milliseconds(1));
    appended.push_back(clock_.Steady());
    Append(Durability::kMemory);
    clock_.Advance(std::max(*next, absl::Milliseconds(2)) -
                   absl::Milliseconds(1));
  }
  EXPECT_GT(Orders().durable_end(), 10);
}

TEST_F(LogStoreBackgroundTest, RunMaintenanceWritesTheCheckpointOnceASecond) {
  OpenWithTopic();
  Append(Durability::kSynced);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(Checkpoint(), HasSubstr("orders 0 0 1\n"));
  Append(Durability::kSynced);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(Checkpoint(), HasSubstr("orders 0 0 1\n"));
  clock_.Advance(absl::Seconds(1));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(Checkpoint(), HasSubstr("orders 0 0 2\n"));
}

TEST_F(LogStoreBackgroundTest, ManyThreadsMayRunMaintenanceWhileItCloses) {
  OpenWithTopic();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      absl::Status status;
      while (status.ok()) status = store_->RunMaintenance().status();
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("closed")));
    });
  }
  for (int i = 0; i < 200; ++i) {
    Append(Durability::kInterval);
    clock_.Advance(absl::Milliseconds(100));
  }
  EXPECT_THAT(store_->Close(), IsOk());
  for (std::thread& thread : threads) thread.join();
}

TEST_F(LogStoreBackgroundTest, RunMaintenanceMayBeCalledBesideOwnThreads) {
  Open(Background::kOwnThreads);
  ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  Append(Durability::kInterval);
  clock_.Advance(absl::Milliseconds(600));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  // Either thread may have been first.
  EXPECT_THAT(Orders().Sync(), IsOk());
  EXPECT_EQ(Orders().durable_end(), 1);
}

}  // namespace
}  // namespace varve
