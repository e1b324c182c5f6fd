// SPDX-License-Identifier: Apache-2.0

#include "varve/log/meters/distribution.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "absl/log/check.h"
#include "varve/log/meters/histogram_buckets.h"

namespace varve {

int64_t Distribution::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

double Distribution::mean() const {
  const int64_t values = count();
  if (values == 0) return 0;
  return static_cast<double>(sum_) / static_cast<double>(values);
}

int64_t Distribution::Percentile(double part) const {
  const int64_t values = count();
  if (values == 0) return 0;
  const auto wanted = static_cast<int64_t>(
      std::ceil(std::clamp(part, 0.0, 1.0) * static_cast<double>(values)));
  const int64_t rank = std::clamp(wanted, int64_t{1}, values);
  int64_t seen = 0;
  size_t bucket = 0;
  while (seen + counts_[bucket] < rank) seen += counts_[bucket++];
  CHECK_LT(bucket, counts_.size());
  return HistogramBucketEnd(bucket);
}

int64_t Distribution::CountUpTo(int64_t value) const {
  const auto end =
      counts_.begin() + static_cast<ptrdiff_t>(HistogramBucket(value)) + 1;
  return std::accumulate(counts_.begin(), end, int64_t{0});
}

void Distribution::Merge(const Distribution& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  sum_ += other.sum_;
}

}  // namespace varve
