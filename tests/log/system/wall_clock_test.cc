// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/wall_clock.h"

#include <time.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace varve {
namespace {

// The kernel's own answer.
int64_t KernelMs() {
  struct timespec now = {};
  EXPECT_EQ(clock_gettime(CLOCK_REALTIME, &now), 0);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// Compares for long enough that many milliseconds begin.
void ExpectAgreement() {
  const int64_t end_ms = KernelMs() + 100;
  for (int64_t before = KernelMs(); before < end_ms;) {
    const int64_t time_ms = WallClockMs();
    const int64_t after = KernelMs();
    ASSERT_GE(time_ms, before);
    ASSERT_LE(time_ms, after);
    before = after;
  }
}

TEST(WallClockTest, LiesBetweenTwoReadingsOfTheKernelsClock) {
  ExpectAgreement();
}

TEST(WallClockTest, EveryThreadHasItsOwnReading) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(ExpectAgreement);
  for (std::thread& thread : threads) thread.join();
}

TEST(WallClockTest, IsNotTheReadingOfBeforeASleep) {
  const int64_t before = WallClockMs();
  struct timespec pause = {.tv_sec = 0, .tv_nsec = 5'000'000};
  ASSERT_EQ(nanosleep(&pause, nullptr), 0);
  EXPECT_GE(WallClockMs(), before + 5);
}

}  // namespace
}  // namespace varve
