// SPDX-License-Identifier: Apache-2.0

// The turn to sync: who has it, who is woken by its end, and that nobody sleeps
// on.

#include "varve/log/sync/sync_turn.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr auto kNever = [] { return false; };
constexpr auto kAlways = [] { return true; };

TEST(SyncTurn, IsTakenByOneThreadAtATime) {
  SyncTurn turn;
  {
    const SyncTurnLock lock(&turn);
    std::thread([&] {
      const bool taken = turn.TryLock();
      EXPECT_FALSE(taken);
      if (taken) turn.Unlock();
    }).join();
  }
  const bool taken = turn.TryLock();
  EXPECT_TRUE(taken);
  if (taken) turn.Unlock();
}

TEST(SyncTurn, IsNotTakenForWhatIsDone) {
  SyncTurn turn;
  const bool taken = turn.LockUnless(kAlways, kNever);
  EXPECT_FALSE(taken);
  if (taken) turn.Unlock();
}

TEST(SyncTurn, IsTakenAtOnceWhenItIsFree) {
  SyncTurn turn;
  const bool taken = turn.LockUnless(kNever, kNever);
  EXPECT_TRUE(taken);
  if (taken) turn.Unlock();
}

// Eight threads that wait for what they want to be done, while `turn` is taken:
// for the end of the turn when it `covers` that, else for their own.
class Waiters {
 public:
  Waiters(SyncTurn& turn, bool covers) {
    threads_.reserve(kCount);
    for (int i = 0; i < kCount; ++i) {
      threads_.emplace_back([&turn, covers, this] {
        bool counted = false;
        const bool taken = turn.LockUnless([this] { return done_.load(); },
                                           [&] {
                                             if (!counted) ++waiting_;
                                             counted = true;
                                             return covers;
                                           });
        EXPECT_FALSE(taken);
        if (taken) turn.Unlock();
      });
    }
    while (waiting_ < kCount) std::this_thread::yield();
  }

  void SetDone() { done_ = true; }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  static constexpr int kCount = 8;

  std::atomic<bool> done_ = false;
  std::atomic<int> waiting_ = 0;
  std::vector<std::thread> threads_;
};

// What a mutex cannot do: the next turn begins at once, on the thread that had
// the last, and those whose work was done go on.
TEST(SyncTurn, ThoseWhoseWorkIsDoneGoOnWhileTheNextTurnLasts) {
  SyncTurn turn;
  turn.Lock();
  Waiters waiters(turn, /*covers=*/true);
  waiters.SetDone();
  turn.Unlock();
  turn.Lock();
  waiters.Join();  // while it is held
  turn.Unlock();
}

TEST(SyncTurn, ThoseWhoWantATurnGetOneEach) {
  SyncTurn turn;
  int turns = 0;  // changed in a turn alone
  turn.Lock();
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const SyncTurnLock lock(&turn);
      ++turns;
    });
  }
  turn.Unlock();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turns, 8);
}

// The turn under way does, after all, what they expect of the next: the one
// that is woken to take that has no use for it, and has to wake the others.
TEST(SyncTurn, WhoIsWokenToTakeItAndNeedsItNotWakesTheNext) {
  for (int round = 0; round < 100; ++round) {
    SyncTurn turn;
    turn.Lock();
    Waiters waiters(turn, /*covers=*/false);
    waiters.SetDone();
    turn.Unlock();
    waiters.Join();
  }
}

// One that asks for turn after turn is awake, and takes the next before the one
// that its end has woken: that one would never get it.
TEST(SyncTurn, WhoHasSleptEightTimesGetsTheNextTurn) {
  constexpr int kTurns = 100;
  SyncTurn turn;
  std::atomic<int> turns = 0;
  std::atomic<int> asked = 0;  // each time before the waiter sleeps
  int most_sleeps = 0;
  turn.Lock();
  std::thread waiter([&] {
    for (; turns < kTurns; ++turns) {
      const int before = asked;
      const bool taken = turn.LockUnless(kNever, [&] {
        ++asked;
        return false;
      });
      EXPECT_TRUE(taken);
      if (taken) turn.Unlock();
      most_sleeps = std::max(most_sleeps, asked - before);
    }
  });
  for (int seen = 0; turns < kTurns;) {
    while (asked == seen && turns < kTurns) std::this_thread::yield();
    seen = asked;  // before the next turn, in which it asks again
    // Until it sleeps, nearly always; if not, it may be the faster one.
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    turn.Unlock();
    turn.Lock();
  }
  turn.Unlock();
  waiter.join();
  // It says so after the eighth, when the turn may be taken again.
  EXPECT_LE(most_sleeps, 9);
}

// A group commit as the syncer makes it: each thread publishes a number, and
// goes on when a turn that began later has covered it.
TEST(SyncTurn, AGroupCommitCoversEveryThreadsWork) {
  constexpr int kThreads = 16;
  constexpr int64_t kEach = 2000;
  SyncTurn turn;
  std::atomic<int64_t> published = 0;
  std::atomic<int64_t> syncing_to = 0;
  std::atomic<int64_t> durable = 0;
  int64_t turns = 0;  // changed in a turn alone
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int64_t n = 0; n < kEach; ++n) {
        const int64_t mine = ++published;
        if (turn.LockUnless([&] { return durable >= mine; },
                            [&] { return syncing_to >= mine; })) {
          const SyncTurnLock lock(std::adopt_lock, &turn);
          syncing_to = published.load();
          ++turns;
          durable = syncing_to.load();
        }
        ASSERT_GE(durable, mine);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(durable, kThreads * kEach);
  EXPECT_LE(turns, kThreads * kEach);
}

}  // namespace
}  // namespace varve
