// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_DISTRIBUTION_H_
#define VARVE_LOG_METERS_DISTRIBUTION_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "varve/log/meters/histogram_buckets.h"

namespace varve {

// How the values of something were distributed: what a Histogram held at one
// moment. A plain value of 2.4 kB.
//
// Thread safety: a value.
class Distribution {
 public:
  // How many values there were.
  int64_t count() const;

  // Their sum.
  int64_t sum() const { return sum_; }

  // Their mean, 0 without any.
  double mean() const;

  // A value that at least the part `part` (0 to 1) of the values does not
  // exceed: the end of the bucket that holds it, at most 12.5 % above it. 0
  // when there are no values; the largest int64 when it was above
  // kHistogramMax.
  int64_t Percentile(double part) const;

  // How many values were at most `value`. Exact for the ends of buckets, so for
  // powers of two; otherwise all values in the bucket of `value` are counted.
  int64_t CountUpTo(int64_t value) const;

  // Adds `count` values of a bucket, with their sum.
  void Add(size_t bucket, int64_t count) { counts_[bucket] += count; }
  void AddSum(int64_t sum) { sum_ += sum; }

  // Adds the values of another distribution.
  void Merge(const Distribution& other);

  friend bool operator==(const Distribution&, const Distribution&) = default;

 private:
  std::array<int64_t, kHistogramBuckets> counts_ = {};
  int64_t sum_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_METERS_DISTRIBUTION_H_
