// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_HISTOGRAM_H_
#define VARVE_LOG_HISTOGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "log/counter.h"
#include "log/distribution.h"
#include "log/histogram_buckets.h"

namespace varve {

// Counts values (nanoseconds, or a number of things) in buckets of fixed size:
// 2.4 kB, whatever comes. An `Add` is two atomic additions, so what happens
// millions of times a second is sampled.
//
// Thread safety: thread-safe.
class Histogram {
 public:
  void Add(int64_t value) {
    counts_[HistogramBucket(value)].Add(1);
    sum_.Add(value);
  }

  // What was added so far. While values are added, the sum may have some that
  // the buckets do not, and the other way round.
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

#endif  // VARVE_LOG_HISTOGRAM_H_
