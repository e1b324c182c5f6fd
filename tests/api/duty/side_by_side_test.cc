// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/side_by_side.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <numeric>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::testing::Each;

// Makes calls, and notes which were made, on which threads, and how many at a
// time.
class Calls {
 public:
  void Make(int64_t number) {
    {
      absl::MutexLock lock(&mu_);
      made_.push_back(number);
      threads_.push_back(std::this_thread::get_id());
      most_ = std::max(most_, ++under_way_);
    }
    std::this_thread::yield();
    absl::MutexLock lock(&mu_);
    --under_way_;
  }
  // In the order in which they were begun.
  std::vector<int64_t> made() const {
    absl::MutexLock lock(&mu_);
    return made_;
  }
  std::vector<std::thread::id> threads() const {
    absl::MutexLock lock(&mu_);
    return threads_;
  }
  int64_t most() const {
    absl::MutexLock lock(&mu_);
    return most_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<int64_t> made_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread::id> threads_ ABSL_GUARDED_BY(mu_);
  int64_t under_way_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t most_ ABSL_GUARDED_BY(mu_) = 0;
};

std::vector<int64_t> NumbersTo(int64_t count) {
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// Returns when so many calls are under way at once, each waiting for the
// others.
void RunAllAtOnce(SideBySide& side_by_side, int64_t count) {
  absl::Mutex mu;
  int64_t missing = count;
  side_by_side.Run(count, count, [&](int64_t) {
    absl::MutexLock lock(&mu);
    --missing;
    mu.Await(absl::Condition(
        +[](int64_t* calls) { return *calls == 0; }, &missing));
  });
}

TEST(SideBySideTest, EachCallIsMadeOnceByNoMoreThreadsThanAllowed) {
  SideBySide side_by_side(100);
  Calls calls;
  side_by_side.Run(200, 200, [&](int64_t i) { calls.Make(i); });
  std::vector<int64_t> made = calls.made();
  std::sort(made.begin(), made.end());
  EXPECT_EQ(made, NumbersTo(200));
  EXPECT_LE(calls.most(), SideBySide::kThreadsMax);
}

TEST(SideBySideTest, CallsAreUnderWayAtTheSameTime) {
  SideBySide side_by_side(SideBySide::kThreadsMax);
  RunAllAtOnce(side_by_side, SideBySide::kThreadsMax);
}

TEST(SideBySideTest, WithoutHelpersTheCallerMakesAllInOrder) {
  SideBySide side_by_side(0);
  Calls calls;
  side_by_side.Run(50, 50, [&](int64_t i) { calls.Make(i); });
  EXPECT_EQ(calls.made(), NumbersTo(50));
  EXPECT_THAT(calls.threads(), Each(std::this_thread::get_id()));
}

TEST(SideBySideTest, NoHelperIsStartedForOneBusyCall) {
  SideBySide side_by_side(SideBySide::kThreadsMax);
  for (int64_t busy : {0, 1}) {
    Calls calls;
    side_by_side.Run(50, busy, [&](int64_t i) { calls.Make(i); });
    EXPECT_EQ(calls.made(), NumbersTo(50));
    EXPECT_THAT(calls.threads(), Each(std::this_thread::get_id()));
  }
}

TEST(SideBySideTest, NothingToCallIsFine) {
  SideBySide side_by_side(SideBySide::kThreadsMax);
  side_by_side.Run(0, 0, [](int64_t) { FAIL(); });
}

// One helper for both: three threads, with those of the callers.
TEST(SideBySideTest, HelpersOfAllCallersTogetherAreBounded) {
  SideBySide side_by_side(1);
  Calls calls;
  std::thread other(
      [&] { side_by_side.Run(500, 500, [&](int64_t i) { calls.Make(i); }); });
  side_by_side.Run(500, 500, [&](int64_t i) { calls.Make(i); });
  other.join();
  EXPECT_EQ(std::ssize(calls.made()), 1000);
  EXPECT_LE(calls.most(), 3);
}

TEST(SideBySideTest, CallThatThrowsKeepsNoOtherFromBeingMade) {
  for (int64_t helpers : {int64_t{0}, SideBySide::kThreadsMax}) {
    SideBySide side_by_side(helpers);
    Calls calls;
    EXPECT_THROW(side_by_side.Run(50, 50,
                                  [&](int64_t i) {
                                    calls.Make(i);
                                    if (i % 10 == 3) throw std::bad_alloc();
                                  }),
                 std::bad_alloc);
    std::vector<int64_t> made = calls.made();
    std::sort(made.begin(), made.end());
    EXPECT_EQ(made, NumbersTo(50));
  }
}

TEST(SideBySideTest, HelpersCanBeHadAgainAfterACallThatThrew) {
  SideBySide side_by_side(SideBySide::kThreadsMax);
  EXPECT_THROW(
      side_by_side.Run(50, 50, [](int64_t) { throw std::bad_alloc(); }),
      std::bad_alloc);
  RunAllAtOnce(side_by_side, SideBySide::kThreadsMax);
}

}  // namespace
}  // namespace varve
