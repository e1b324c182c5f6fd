// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/duty_thread.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <new>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status_matchers.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/api/duty/duty.h"
#include "varve/api/duty/duty_bell.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

// A duty that a test gives as a lambda, and whose runs it counts.
class LambdaDuty final : public Duty {
 public:
  using Body = std::function<absl::Time(const std::stop_token&)>;

  explicit LambdaDuty(Body body) : body_(std::move(body)) {}

  absl::Time Run(const std::stop_token& stop) override {
    const absl::Time due = body_(stop);
    absl::MutexLock lock(&mu_);
    ++runs_;
    return due;
  }
  void WaitForRuns(int runs) {
    absl::MutexLock lock(&mu_);
    auto reached = [&] {
      mu_.AssertReaderHeld();
      return runs_ >= runs;
    };
    mu_.Await(absl::Condition(&reached));
  }
  int runs() {
    absl::MutexLock lock(&mu_);
    return runs_;
  }

 private:
  const Body body_;
  absl::Mutex mu_;
  int runs_ ABSL_GUARDED_BY(mu_) = 0;
};

absl::Time Never(const std::stop_token&) { return absl::InfiniteFuture(); }

class DutyThreadTest : public testing::Test {
 protected:
  ManualClock clock_;
  DutyBell bell_;
};

TEST_F(DutyThreadTest, DutyThatRunsOutOfMemoryIsRunAgain) {
  std::atomic<int> tries = 0;
  LambdaDuty duty([&](const std::stop_token&) {
    if (++tries == 1) throw std::bad_alloc();
    return absl::InfiniteFuture();
  });
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  ASSERT_THAT(thread.Start(), IsOk());
  bell_.Ring();
  duty.WaitForRuns(1);
  thread.Stop();
}

TEST_F(DutyThreadTest, DutyThatThrowsOnTheCallersThreadCanBeRunAndStopped) {
  std::atomic<int> tries = 0;
  LambdaDuty duty([&](const std::stop_token&) {
    if (++tries == 1) throw std::bad_alloc();
    return absl::InfiniteFuture();
  });
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  EXPECT_THROW(thread.RunOnce(), std::bad_alloc);
  EXPECT_EQ(thread.RunOnce(), absl::InfiniteFuture());
  EXPECT_EQ(duty.runs(), 1);
  thread.Stop();
}

TEST_F(DutyThreadTest, StartedThreadRunsItsDutyAtOnceAndThenWhenRung) {
  LambdaDuty duty(Never);
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  ASSERT_THAT(thread.Start(), IsOk());
  duty.WaitForRuns(1);
  bell_.Ring();
  duty.WaitForRuns(2);
  thread.Stop();
  EXPECT_EQ(duty.runs(), 2);
}

TEST_F(DutyThreadTest, DutyRunsAgainWhenItIsDueUnasked) {
  LambdaDuty duty([&](const std::stop_token&) {
    return clock_.Steady() + absl::Milliseconds(1);
  });
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  ASSERT_THAT(thread.Start(), IsOk());
  duty.WaitForRuns(5);
}

TEST_F(DutyThreadTest, RingDuringARunIsNotLost) {
  LambdaDuty duty([&, first = true](const std::stop_token&) mutable {
    if (std::exchange(first, false)) bell_.Ring();
    return absl::InfiniteFuture();
  });
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  ASSERT_THAT(thread.Start(), IsOk());
  duty.WaitForRuns(2);
}

TEST_F(DutyThreadTest, ThreadHasItsNameBlocksAllSignalsAndGivesWay) {
  const int nice_before = getpriority(PRIO_PROCESS, 0);
  std::string name;
  sigset_t blocked;
  int nice = 0;
  LambdaDuty duty([&](const std::stop_token&) {
    char text[16] = {};
    pthread_getname_np(pthread_self(), text, sizeof(text));
    name = text;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    nice = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
    return absl::InfiniteFuture();
  });
  DutyThread thread({.name = "varve-test", .nice_more = 3}, &duty, &bell_,
                    &clock_);
  ASSERT_THAT(thread.Start(), IsOk());
  duty.WaitForRuns(1);
  thread.Stop();
  EXPECT_EQ(name, "varve-test");
  EXPECT_EQ(nice, std::min(nice_before + 3, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), nice_before);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGCHLD}) {
    EXPECT_TRUE(sigismember(&blocked, signal)) << signal;
  }
}

TEST_F(DutyThreadTest, StopAsksALongRunToEnd) {
  absl::Notification running;
  LambdaDuty duty([&](const std::stop_token& stop) {
    running.Notify();
    while (!stop.stop_requested()) std::this_thread::yield();
    return absl::InfiniteFuture();
  });
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  ASSERT_THAT(thread.Start(), IsOk());
  running.WaitForNotification();
  thread.Stop();
  EXPECT_EQ(duty.runs(), 1);
}

TEST_F(DutyThreadTest, StopWaitsForALentThread) {
  absl::Notification running;
  std::atomic<bool> ended = false;
  LambdaDuty duty([&](const std::stop_token& stop) {
    running.Notify();
    while (!stop.stop_requested()) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    ended = true;
    return absl::InfiniteFuture();
  });
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  std::thread lent([&] { thread.RunOnce(); });
  running.WaitForNotification();
  thread.Stop();
  EXPECT_TRUE(ended);
  lent.join();
}

TEST_F(DutyThreadTest, RunOnceLeavesADutyThatIsRunningToItsThread) {
  absl::Notification running;
  absl::Notification go_on;
  LambdaDuty duty([&](const std::stop_token&) {
    running.Notify();
    go_on.WaitForNotification();
    return clock_.Steady();
  });
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  std::thread other([&] { thread.RunOnce(); });
  running.WaitForNotification();
  EXPECT_EQ(thread.RunOnce(), absl::InfiniteFuture());
  go_on.Notify();
  other.join();
  EXPECT_EQ(duty.runs(), 1);
}

TEST_F(DutyThreadTest, NothingRunsAfterStop) {
  LambdaDuty duty(Never);
  DutyThread thread({.name = "test"}, &duty, &bell_, &clock_);
  thread.Stop();
  EXPECT_EQ(thread.RunOnce(), absl::InfiniteFuture());
  EXPECT_EQ(duty.runs(), 0);
}

}  // namespace
}  // namespace varve
