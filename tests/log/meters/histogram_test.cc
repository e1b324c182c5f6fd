// SPDX-License-Identifier: Apache-2.0

#include "varve/log/meters/histogram.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "varve/log/meters/distribution.h"
#include "varve/log/meters/histogram_buckets.h"

namespace varve {
namespace {

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

Distribution Of(const std::vector<int64_t>& values) {
  Histogram histogram;
  for (const int64_t value : values) histogram.Add(value);
  return histogram.Snapshot();
}

TEST(HistogramBucketsTest, EveryEndBelongsToItsBucketAndTheNextValueToTheNext) {
  for (size_t bucket = 0; bucket + 1 < kHistogramBuckets; ++bucket) {
    const int64_t end = HistogramBucketEnd(bucket);
    EXPECT_EQ(HistogramBucket(end), bucket) << end;
    EXPECT_EQ(HistogramBucket(end + 1), bucket + 1) << end;
  }
}

TEST(HistogramBucketsTest, EveryValueOfTheFirstThousandsIsInTheBucketOfItsEnd) {
  size_t bucket = 0;
  for (int64_t value = 1; value <= 100000; ++value) {
    if (value > HistogramBucketEnd(bucket)) ++bucket;
    ASSERT_EQ(HistogramBucket(value), bucket) << value;
  }
}

TEST(HistogramBucketsTest, SmallValuesHaveBucketsOfTheirOwn) {
  EXPECT_EQ(HistogramBucket(std::numeric_limits<int64_t>::min()), 0);
  EXPECT_EQ(HistogramBucket(-1), 0);
  EXPECT_EQ(HistogramBucket(0), 0);
  for (int64_t value = 1; value <= 16; ++value) {
    EXPECT_EQ(HistogramBucket(value), static_cast<size_t>(value) - 1);
    EXPECT_EQ(HistogramBucketEnd(static_cast<size_t>(value) - 1), value);
  }
  EXPECT_EQ(HistogramBucketEnd(16), 18);
}

TEST(HistogramBucketsTest, PowersOfTwoEndTheirBuckets) {
  for (int bit = 0; bit <= kHistogramBits; ++bit) {
    const int64_t power = int64_t{1} << bit;
    EXPECT_EQ(HistogramBucketEnd(HistogramBucket(power)), power);
  }
}

TEST(HistogramBucketsTest, AnEndIsAtMostAnEighthAboveEveryValueOfItsBucket) {
  for (size_t bucket = 1; bucket + 1 < kHistogramBuckets; ++bucket) {
    const int64_t least = HistogramBucketEnd(bucket - 1) + 1;
    EXPECT_LE(HistogramBucketEnd(bucket) - least, least / 8) << bucket;
  }
}

TEST(HistogramBucketsTest, WhatIsLargerThanTheLargestIsInTheLastBucket) {
  EXPECT_EQ(HistogramBucket(kHistogramMax), kHistogramBuckets - 2);
  EXPECT_EQ(HistogramBucket(kHistogramMax + 1), kHistogramBuckets - 1);
  EXPECT_EQ(HistogramBucket(kLargest), kHistogramBuckets - 1);
  EXPECT_EQ(HistogramBucketEnd(kHistogramBuckets - 1), kLargest);
}

TEST(DistributionTest, WithoutValuesEverythingIsZero) {
  const Distribution empty;
  EXPECT_EQ(empty.count(), 0);
  EXPECT_EQ(empty.sum(), 0);
  EXPECT_EQ(empty.mean(), 0);
  EXPECT_EQ(empty.Percentile(0.5), 0);
  EXPECT_EQ(empty.CountUpTo(kLargest), 0);
}

TEST(DistributionTest, PercentilesOfSmallValuesAreExact) {
  const Distribution ten = Of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  EXPECT_EQ(ten.count(), 10);
  EXPECT_EQ(ten.sum(), 55);
  EXPECT_EQ(ten.mean(), 5.5);
  EXPECT_EQ(ten.Percentile(0), 1);
  EXPECT_EQ(ten.Percentile(0.1), 1);
  EXPECT_EQ(ten.Percentile(0.11), 2);
  EXPECT_EQ(ten.Percentile(0.5), 5);
  EXPECT_EQ(ten.Percentile(0.99), 10);
  EXPECT_EQ(ten.Percentile(1), 10);
}

TEST(DistributionTest, PercentileOfALargeValueIsTheEndOfItsBucket) {
  EXPECT_EQ(Of({1000}).Percentile(0.5), 1024);
  EXPECT_EQ(Of({kHistogramMax + 1}).Percentile(0.5), kLargest);
}

TEST(DistributionTest, CountUpToIsCumulative) {
  const Distribution some = Of({0, 1, 64, 65, 128, 129, kLargest / 2});
  EXPECT_EQ(some.CountUpTo(0), 2);
  EXPECT_EQ(some.CountUpTo(1), 2);
  EXPECT_EQ(some.CountUpTo(64), 3);
  EXPECT_EQ(some.CountUpTo(128), 5);
  EXPECT_EQ(some.CountUpTo(256), 6);
  EXPECT_EQ(some.CountUpTo(kHistogramMax), 6);
  EXPECT_EQ(some.CountUpTo(kLargest), 7);
}

TEST(DistributionTest, MergedOneHasTheValuesOfBoth) {
  Distribution merged = Of({1, 5, 700});
  merged.Merge(Of({5, 90000}));
  EXPECT_EQ(merged, Of({1, 5, 5, 700, 90000}));
}

TEST(HistogramTest, ValuesOfAllThreadsAreCountedOnce) {
  constexpr int kThreads = 4;
  constexpr int64_t kValues = 20000;
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&histogram] {
      for (int64_t i = 1; i <= kValues; ++i) histogram.Add(i);
    });
  }
  int64_t seen = 0;
  while (seen < kThreads * kValues) {
    const int64_t count = histogram.Snapshot().count();
    ASSERT_GE(count, seen);
    ASSERT_LE(count, kThreads * kValues);
    seen = count;
  }
  for (std::thread& thread : threads) thread.join();
  const Distribution all = histogram.Snapshot();
  EXPECT_EQ(all.count(), kThreads * kValues);
  EXPECT_EQ(all.sum(), kThreads * kValues * (kValues + 1) / 2);
  EXPECT_EQ(all.CountUpTo(1024), kThreads * 1024);
}

}  // namespace
}  // namespace varve
