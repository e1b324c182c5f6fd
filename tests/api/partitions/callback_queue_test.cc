// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/callback_queue.h"

#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_completion.h"
#include "varve/log/partition/append_result.h"

namespace varve {
namespace {

using ::absl_testing::StatusIs;
using ::testing::ElementsAre;

class CallbackQueueTest : public testing::Test {
 protected:
  AppendCompletions One(AppendCallback callback) {
    AppendCompletions one;
    one.emplace_back(std::move(callback), outstanding_);
    return one;
  }
  // One that notes its number.
  AppendCompletions Noted(int number) {
    return One([this, number](const auto&) { called_.push_back(number); });
  }

  const std::shared_ptr<AppendCompletion::Count> outstanding_ =
      std::make_shared<AppendCompletion::Count>(0);
  CallbackQueue queue_;
  std::vector<int> called_;
};

TEST_F(CallbackQueueTest, CallsEachOnceInTheOrderInWhichTheyCame) {
  EXPECT_EQ(queue_.CallDue(), 0);
  AppendCompletions two = Noted(1);
  two.splice(two.end(), Noted(2));
  queue_.Add(std::move(two));
  queue_.Add(Noted(3));
  EXPECT_EQ(*outstanding_, 3);
  EXPECT_EQ(queue_.CallDue(), 3);
  EXPECT_THAT(called_, ElementsAre(1, 2, 3));
  EXPECT_EQ(*outstanding_, 0);
  EXPECT_EQ(queue_.CallDue(), 0);
}

TEST_F(CallbackQueueTest, WhatACallbackMakesDueIsLeftToTheNextCall) {
  queue_.Add(One([this](const auto&) { queue_.Add(Noted(2)); }));
  queue_.Add(Noted(1));
  EXPECT_EQ(queue_.CallDue(), 2);
  EXPECT_THAT(called_, ElementsAre(1));
  EXPECT_EQ(queue_.CallDue(), 1);
  EXPECT_THAT(called_, ElementsAre(1, 2));
}

TEST_F(CallbackQueueTest, CallbackThatThrowsIsGoneAndTheRestStays) {
  queue_.Add(Noted(1));
  queue_.Add(One([](const auto&) { throw std::bad_alloc(); }));
  queue_.Add(Noted(2));
  EXPECT_THROW(queue_.CallDue(), std::bad_alloc);
  EXPECT_THAT(called_, ElementsAre(1));
  EXPECT_EQ(queue_.CallDue(), 1);
  EXPECT_THAT(called_, ElementsAre(1, 2));
}

TEST_F(CallbackQueueTest, CallbackGetsItsResultAndDoesNotCountAnyMore) {
  AppendCompletions failed =
      One([this](const absl::StatusOr<AppendResult>& ended) {
        EXPECT_THAT(ended, StatusIs(absl::StatusCode::kCancelled));
        EXPECT_EQ(*outstanding_, 0);
        called_.push_back(1);
      });
  failed.front().set_result(absl::CancelledError());
  queue_.Add(std::move(failed));
  EXPECT_EQ(queue_.CallDue(), 1);
  EXPECT_THAT(called_, ElementsAre(1));
}

TEST_F(CallbackQueueTest, QueueThatIsDestroyedDropsWhatIsInIt) {
  {
    CallbackQueue queue;
    queue.Add(Noted(1));
    EXPECT_EQ(*outstanding_, 1);
  }
  EXPECT_EQ(*outstanding_, 0);
  EXPECT_THAT(called_, ElementsAre());
}

}  // namespace
}  // namespace varve
