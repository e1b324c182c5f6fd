// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_HISTOGRAM_H_
#define VARVE_LOG_METERS_HISTOGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "varve/log/meters/counter.h"
#include "varve/log/meters/distribution.h"
#include "varve/log/meters/histogram_buckets.h"

namespace varve {

// Counts values (nanoseconds, or a number of things) in buckets of fixed size:
// 2.4 kB for any number of values. An `Add` is two atomic additions, so what
// happens millions of times a second is sampled.
//
// Thread safety: thread-safe.
class Histogram {
 public:
  void Add(int64_t value) {
    counts_[HistogramBucket(value)].Add(1);
    sum_.Add(value);
  }

  // The values added so far. While others are added, the sum may include some
  // that the buckets do not, and the other way round.
  Distribution Snapshot() const {
    Distribution distribution;
    for (size_t i = 0; i < counts_.size(); ++i) {
      distribution.Add(i, counts_[i].value());
    }
    distribution.AddSum(sum_.value());
    return distribution;
  }

 private:
  std::array<Counter, kHistogramBuckets> counts_;
  Counter sum_;
};

}  // namespace varve

#endif  // VARVE_LOG_METERS_HISTOGRAM_H_
