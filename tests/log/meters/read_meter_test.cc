// SPDX-License-Identifier: Apache-2.0

#include "varve/log/meters/read_meter.h"

#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(ReadMeterTest, ReadsOfOneThreadAreCounted) {
  ReadMeter meter;
  EXPECT_EQ(meter.reads(), 0);
  meter.Add(10);
  meter.Add(0);
  EXPECT_EQ(meter.reads(), 2);
  EXPECT_EQ(meter.bytes(), 10);
}

TEST(ReadMeterTest, ReadsOfAllThreadsAreCountedOnceWhoeverCameFirst) {
  constexpr int kThreads = 4;
  constexpr int64_t kReads = 20000;
  ReadMeter meter;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&meter] {
      for (int64_t i = 0; i < kReads; ++i) meter.Add(3);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(meter.reads(), kThreads * kReads);
  EXPECT_EQ(meter.bytes(), 3 * kThreads * kReads);
}

TEST(ReadMeterTest, ThreadsThatFollowOneAnotherLoseNothing) {
  ReadMeter meter;
  constexpr int64_t kThreads = 200;
  for (int64_t t = 0; t < kThreads; ++t) {
    std::thread([&meter] { meter.Add(7); }).join();
  }
  EXPECT_EQ(meter.reads(), kThreads);
  EXPECT_EQ(meter.bytes(), 7 * kThreads);
}

TEST(ReadMeterTest, OneThreadCountsForSeveralPartitionsApart) {
  ReadMeter first;
  ReadMeter second;
  first.Add(1);
  second.Add(2);
  first.Add(4);
  EXPECT_EQ(first.bytes(), 5);
  EXPECT_EQ(second.bytes(), 2);
}

}  // namespace
}  // namespace varve
