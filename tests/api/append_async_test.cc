// SPDX-License-Identifier: Apache-2.0

// Partition::AppendAsync through the store: which thread calls back, what a
// callback may do, and what becomes of those that are left.

#include <pthread.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <future>
#include <new>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/append_result.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Code = absl::StatusCode;
using Ended = absl::StatusOr<AppendResult>;

std::string ThreadName() {
  std::array<char, 16> name = {};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

class AppendAsyncTest : public StoreFixture {
 protected:
  StoreOptions Options() override {
    StoreOptions options;
    options.environment.files = &files_;
    options.background = background_;
    return options;
  }
  void OpenWith(Background background) {
    background_ = background;
    Open();
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
  }

  // Appends, and keeps what the callback is called with.
  void AppendAsync(const std::string& value) {
    ASSERT_THAT(Orders().AppendAsync({.value = value},
                                     [this](Ended ended) {
                                       ended_.push_back(std::move(ended));
                                     }),
                IsOk());
  }
  // The offsets of those; -1 for an error.
  std::vector<int64_t> Offsets() const {
    std::vector<int64_t> offsets;
    for (const Ended& ended : ended_)
      offsets.push_back(ended.ok() ? ended->offset : -1);
    return offsets;
  }

  FaultyFileSystem files_;
  Background background_ = Background::kNone;
  std::vector<Ended> ended_;
};

// The store's own thread.

TEST_F(AppendAsyncTest, StoresSyncThreadSyncsAtOnceAndCallsBack) {
  OpenWith(Background::kOwnThreads);
  std::promise<std::string> promise;
  auto called_by = promise.get_future();
  const auto where = Orders().AppendAsync(
      {.value = "a"}, [p = std::move(promise)](const Ended& ended) mutable {
        EXPECT_THAT(ended, IsOk());
        p.set_value(ThreadName());
      });
  ASSERT_THAT(where, IsOk());
  EXPECT_EQ(where->offset, 0);
  EXPECT_EQ(called_by.get(), "varve-sync");
  EXPECT_EQ(Orders().durable_end(), 1);
}

TEST_F(AppendAsyncTest, FutureIsReadyWhenTheRecordIsDurable) {
  OpenWith(Background::kOwnThreads);
  std::promise<Ended> promise;
  auto durable = promise.get_future();
  const auto where = Orders().AppendAsync(
      {.value = "a"}, [p = std::move(promise)](auto result) mutable {
        p.set_value(std::move(result));
      });
  ASSERT_THAT(where, IsOk());
  const Ended result = durable.get();
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->offset, where->offset);
  EXPECT_EQ(Orders().durable_end(), 1);
}

TEST_F(AppendAsyncTest, CallbackMayUseTheStore) {
  OpenWith(Background::kOwnThreads);
  Partition orders = Orders();
  absl::Notification done;
  ASSERT_THAT(
      orders.AppendAsync(
          {.value = "a"},
          [&](const Ended&) {
            EXPECT_THAT(orders.Append({.value = "b"}), IsOk());
            EXPECT_THAT(orders.Read(0), IsOk());
            EXPECT_THAT(store_->CommitOffset("group", "orders", 0, 1), IsOk());
            EXPECT_THAT(store_->CreateTopic("more"), IsOk());
            EXPECT_THAT(store_->SyncAll(), IsOk());
            EXPECT_THAT(
                orders.AppendAsync({.value = "c"},
                                   [&](const Ended&) { done.Notify(); }),
                IsOk());
          }),
      IsOk());
  done.WaitForNotification();
  EXPECT_EQ(orders.durable_end(), 3);
}

// A program's lock that is held while it appends may be taken in callbacks.
TEST_F(AppendAsyncTest, NoCallOfTheProgramCallsBackOnItsThread) {
  OpenWith(Background::kNone);
  AppendAsync("a");
  ASSERT_THAT(Orders().Append({.value = "b"}), IsOk());
  AppendAsync("c");
  ASSERT_THAT(Orders().Sync(), IsOk());
  AppendAsync("d");
  ASSERT_THAT(Orders().TrimBefore(4), IsOk());
  AppendAsync("e");
  ASSERT_THAT(store_->SyncAll(), IsOk());
  EXPECT_EQ(Orders().durable_end(), 5);
  EXPECT_THAT(ended_, IsEmpty());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(Offsets(), ElementsAre(0, 2, 3, 4));
}

// Each callback makes another one due.
TEST_F(AppendAsyncTest, CallbacksWithoutEndDoNotKeepCloseFromEnding) {
  OpenWith(Background::kOwnThreads);
  Partition orders = Orders();
  std::atomic<int64_t> appended = 0;
  std::atomic<int64_t> called = 0;
  absl::Notification enough;
  std::function<void()> append = [&] {
    const auto where =
        orders.AppendAsync({.value = "a"}, [&](const Ended& ended) {
          EXPECT_THAT(ended, IsOk());
          if (++called == 20) enough.Notify();
          append();
        });
    if (where.ok()) {
      ++appended;
    } else {
      EXPECT_THAT(where, StatusIs(Code::kFailedPrecondition));
    }
  };
  append();
  enough.WaitForNotification();
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_EQ(called, appended);
}

// The program's thread.

TEST_F(AppendAsyncTest, RunMaintenanceSyncsAndCallsBackOnItsThread) {
  OpenWith(Background::kNone);
  std::thread::id called_by;
  ASSERT_THAT(Orders().AppendAsync({.value = "a"},
                                   [&](const Ended&) {
                                     called_by = std::this_thread::get_id();
                                   }),
              IsOk());
  EXPECT_EQ(Orders().durable_end(), 0);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(called_by, std::this_thread::get_id());
  EXPECT_EQ(Orders().durable_end(), 1);
}

TEST_F(AppendAsyncTest, RunMaintenanceIsDueAgainAfterCallbacks) {
  OpenWith(Background::kNone);
  Partition orders = Orders();
  ASSERT_THAT(orders.AppendAsync({.value = "a"},
                                 [&](const Ended&) { AppendAsync("b"); }),
              IsOk());
  EXPECT_THAT(store_->RunMaintenance(), IsOkAndHolds(absl::ZeroDuration()));
  EXPECT_THAT(ended_, IsEmpty());
  EXPECT_THAT(store_->RunMaintenance(), IsOkAndHolds(absl::ZeroDuration()));
  EXPECT_THAT(Offsets(), ElementsAre(1));
  EXPECT_THAT(store_->RunMaintenance(),
              IsOkAndHolds(testing::Gt(absl::ZeroDuration())));
}

TEST_F(AppendAsyncTest, CallbackThatThrowsLosesNoOther) {
  OpenWith(Background::kNone);
  ASSERT_THAT(Orders().AppendAsync(
                  {.value = "a"}, [](const Ended&) { throw std::bad_alloc(); }),
              IsOk());
  AppendAsync("b");
  // It returns nothing.
  EXPECT_THROW(std::ignore = store_->RunMaintenance(), std::bad_alloc);
  EXPECT_THAT(ended_, IsEmpty());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(Offsets(), ElementsAre(1));
}

// What is left.

TEST_F(AppendAsyncTest, CloseSyncsAndCallsBackBeforeItReturns) {
  OpenWith(Background::kNone);
  AppendAsync("a");
  AppendAsync("b");
  Partition orders = Orders();
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(Offsets(), ElementsAre(0, 1));
  EXPECT_THAT(orders.AppendAsync({.value = "c"}, [](const Ended&) { FAIL(); }),
              StatusIs(Code::kFailedPrecondition));
  store_ = nullptr;
  Open();
  EXPECT_TRUE(store_->recovery_report().clean);
  EXPECT_THAT(ReadAll(Orders()), IsOkAndHolds(SizeIs(2)));
}

TEST_F(AppendAsyncTest, DestructorOfTheStoreCallsBack) {
  OpenWith(Background::kNone);
  AppendAsync("a");
  store_ = nullptr;
  EXPECT_THAT(Offsets(), ElementsAre(0));
}

TEST_F(AppendAsyncTest, CallbackDuringACloseIsRefusedFurtherAppends) {
  OpenWith(Background::kNone);
  Partition orders = Orders();
  ASSERT_THAT(
      orders.AppendAsync({.value = "a"},
                         [&](const Ended& ended) {
                           EXPECT_THAT(ended, IsOk());
                           ended_.push_back(ended);
                           EXPECT_THAT(
                               orders.AppendAsync({.value = "b"},
                                                  [](const Ended&) { FAIL(); }),
                               StatusIs(Code::kFailedPrecondition));
                           EXPECT_THAT(store_->partition("orders", 0),
                                       StatusIs(Code::kFailedPrecondition));
                         }),
      IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(ended_, SizeIs(1));
}

TEST_F(AppendAsyncTest, FailedSyncOfACloseIsWhatTheCallbackGets) {
  OpenWith(Background::kNone);
  AppendAsync("a");
  files_.FailCallsNamed("File::Sync " + path_ + "/orders-0/", EIO,
                        FaultyFileSystem::Repeat::kOnce);
  const absl::Status closed = store_->Close();
  EXPECT_THAT(closed, StatusIs(Code::kUnknown));
  ASSERT_THAT(ended_, SizeIs(1));
  EXPECT_EQ(ended_[0].status(), closed);
}

TEST_F(AppendAsyncTest, FailedSyncIsWhatTheCallbackGets) {
  OpenWith(Background::kNone);
  AppendAsync("a");
  files_.FailCallsNamed("File::Sync " + path_ + "/orders-0/", EIO,
                        FaultyFileSystem::Repeat::kOnce);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  ASSERT_THAT(ended_, ElementsAre(StatusIs(Code::kUnknown)));
  EXPECT_EQ(Orders().Sync(), ended_[0].status());
}

TEST_F(AppendAsyncTest, DeletionOfTheTopicIsWhatTheCallbackGets) {
  OpenWith(Background::kNone);
  AppendAsync("a");
  Partition orders = Orders();
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_THAT(ended_, IsEmpty());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(ended_, ElementsAre(StatusIs(Code::kNotFound)));
  EXPECT_THAT(orders.AppendAsync({.value = "b"}, [](const Ended&) { FAIL(); }),
              StatusIs(Code::kNotFound));
}

TEST_F(AppendAsyncTest, InternalTopicTakesNone) {
  OpenWith(Background::kNone);
  ASSERT_THAT(store_->CommitOffset("group", "orders", 0, 0), IsOk());
  auto offsets = store_->partition("__consumer_offsets", 0);
  ASSERT_THAT(offsets, IsOk());
  EXPECT_THAT(
      offsets->AppendAsync({.value = "a"}, [](const Ended&) { FAIL(); }),
      StatusIs(Code::kInvalidArgument));
}

}  // namespace
}  // namespace varve
