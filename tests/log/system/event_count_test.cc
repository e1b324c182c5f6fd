// SPDX-License-Identifier: Apache-2.0

// That no notification is missed, and that a wait ends in time.

#include "varve/log/system/event_count.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(EventCountTest, WaitForWhatWasNotifiedSinceReturnsAtOnce) {
  EventCount changed;
  const EventCount::Seen seen = changed.Look();
  changed.NotifyOne();
  EXPECT_FALSE(changed.Wait(seen));
  EXPECT_NE(changed.Look(), seen);
}

TEST(EventCountTest, DeadlineEndsTheWait) {
  EventCount changed;
  const absl::Time deadline = absl::Now() + absl::Milliseconds(5);
  bool expired = false;
  while (!expired) expired = changed.Wait(changed.Look(), deadline);
  EXPECT_GE(absl::Now(), deadline);
}

TEST(EventCountTest, DeadlineThatIsOverEndsTheWaitAtOnce) {
  EventCount changed;
  for (const absl::Time past :
       {absl::InfinitePast(), absl::UnixEpoch() - absl::Seconds(1),
        absl::UnixEpoch(), absl::Now() - absl::Seconds(1)}) {
    bool expired = false;
    while (!expired) expired = changed.Wait(changed.Look(), past);
    EXPECT_TRUE(expired) << past;
  }
}

TEST(EventCountTest, NotifyAllWakesAll) {
  EventCount changed;
  std::atomic<bool> is_there = false;
  std::vector<std::thread> sleepers;
  sleepers.reserve(8);
  for (int i = 0; i < 8; ++i) {
    sleepers.emplace_back([&] {
      while (true) {
        const EventCount::Seen seen = changed.Look();
        if (is_there) break;
        changed.Wait(seen);
      }
    });
  }
  is_there = true;
  changed.NotifyAll();
  for (std::thread& sleeper : sleepers) sleeper.join();
}

// Each thread waits for the number that the one before it stores: were one
// notification missed, all would sleep for ever.
TEST(EventCountTest, NoNotificationIsMissed) {
  constexpr int kThreads = 4;
  constexpr int64_t kRounds = 20'000;
  EventCount changed;
  std::atomic<int64_t> turn = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int64_t mine = i; mine < kRounds; mine += kThreads) {
        while (true) {
          const EventCount::Seen seen = changed.Look();
          if (turn == mine) break;
          changed.Wait(seen);
        }
        turn = mine + 1;
        changed.NotifyAll();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turn, kRounds);
}

// One of those that sleep is enough: it takes what is there, and passes it on.
TEST(EventCountTest, NotifyOneWakesOneOfThoseThatSleep) {
  EventCount changed;
  std::atomic<int> tokens = 0;
  std::atomic<int> taken = 0;
  std::vector<std::thread> sleepers;
  sleepers.reserve(8);
  for (int i = 0; i < 8; ++i) {
    sleepers.emplace_back([&] {
      while (true) {
        const EventCount::Seen seen = changed.Look();
        int left = tokens.load();
        if (left > 0 && tokens.compare_exchange_strong(left, left - 1)) break;
        if (left == 0) changed.Wait(seen);
      }
      ++taken;
      ++tokens;
      changed.NotifyOne();
    });
  }
  ++tokens;
  changed.NotifyOne();
  for (std::thread& sleeper : sleepers) sleeper.join();
  EXPECT_EQ(taken, 8);
}

}  // namespace
}  // namespace varve
