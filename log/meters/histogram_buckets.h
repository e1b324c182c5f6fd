// SPDX-License-Identifier: Apache-2.0

// The buckets of a histogram: eight for each power of two, so that a value is
// known within 12.5 % of itself, whatever its size.
//
//   bucket:     0    1  …  7      8       9   …   15       16
//   values:  0, 1    2  …  8   9..9  10..10   16..16   17..18   19..20 …
//
// Each bucket ends with a value that belongs to it, as Prometheus has it
// ("le"), and every power of two is such an end.

#ifndef VARVE_LOG_METERS_HISTOGRAM_BUCKETS_H_
#define VARVE_LOG_METERS_HISTOGRAM_BUCKETS_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace varve {

// Buckets of each power of two; below that, every value has its own.
inline constexpr int64_t kSubBuckets = 8;
inline constexpr int kSubBucketBits = 3;
static_assert(kSubBuckets == int64_t{1} << kSubBucketBits);

// The largest value that is distinguished from larger ones: 18 minutes in ns.
inline constexpr int kHistogramBits = 40;
inline constexpr int64_t kHistogramMax = int64_t{1} << kHistogramBits;

// The last one is for larger values.
inline constexpr size_t kHistogramBuckets =
    kSubBuckets + (kHistogramBits - kSubBucketBits) * kSubBuckets + 1;

// The bucket that `value` belongs to. A value below 0 belongs to the first.
constexpr size_t HistogramBucket(int64_t value) {
  if (value > kHistogramMax) return kHistogramBuckets - 1;
  const auto below = static_cast<uint64_t>(std::max(value, int64_t{1}) - 1);
  if (below < kSubBuckets) return below;
  const int shift =
      static_cast<int>(std::bit_width(below)) - 1 - kSubBucketBits;
  return static_cast<size_t>(shift) * kSubBuckets + (below >> shift);
}

// The largest value of a bucket; of the last one, the largest int64.
// Precondition: `bucket` < kHistogramBuckets.
constexpr int64_t HistogramBucketEnd(size_t bucket) {
  if (bucket == kHistogramBuckets - 1) {
    return std::numeric_limits<int64_t>::max();
  }
  if (bucket < kSubBuckets) return static_cast<int64_t>(bucket) + 1;
  const size_t shift = bucket / kSubBuckets - 1;
  return static_cast<int64_t>(bucket % kSubBuckets + kSubBuckets + 1) << shift;
}

// The buckets that the formulas lead to are all that there are.
static_assert(HistogramBucket(kHistogramMax) == kHistogramBuckets - 2);
static_assert(HistogramBucketEnd(kHistogramBuckets - 2) == kHistogramMax);

}  // namespace varve

#endif  // VARVE_LOG_METERS_HISTOGRAM_BUCKETS_H_
