// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_STOP_WATCH_H_
#define VARVE_LOG_METERS_STOP_WATCH_H_

#include <cstdint>

#include "varve/log/meters/histogram.h"
#include "varve/log/system/clock.h"

namespace varve {

// Times one call, from its construction to `Stop`, into a histogram of
// nanoseconds; or does nothing, for calls that are not the ones sampled.
//
// Borrows both, which must outlive it.
class StopWatch {
 public:
  // A watch for a call that is not timed.
  StopWatch() = default;

  StopWatch(Clock* clock, Histogram* histogram)
      : clock_(clock),
        histogram_(histogram),
        begin_(clock->SteadyNanoseconds()) {}

  // Returns the nanoseconds that went by; 0 for a call that is not timed.
  int64_t Stop() const {
    if (histogram_ == nullptr) return 0;
    const int64_t elapsed = clock_->SteadyNanoseconds() - begin_;
    histogram_->Add(elapsed);
    return elapsed;
  }

 private:
  Clock* clock_ = nullptr;
  Histogram* histogram_ = nullptr;
  int64_t begin_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_METERS_STOP_WATCH_H_
