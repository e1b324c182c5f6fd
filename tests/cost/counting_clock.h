// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_COST_COUNTING_CLOCK_H_
#define VARVE_TESTS_COST_COUNTING_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"
#include "varve/log/system/clock.h"

namespace varve::cost {

// Counts how often it is read, and goes on by a microsecond each time: what
// depends on the time is the same in each run.
//
// Thread safety: for one thread.
class CountingClock final : public Clock {
 public:
  absl::Time Now() override { return absl::FromUnixMicros(Read()); }
  int64_t NowMs() override { return Read() / 1000; }
  int64_t SteadyNanoseconds() override { return Read() * 1000; }

  int64_t readings() const { return readings_; }

 private:
  static constexpr int64_t kBeginUs = 1'700'000'000'000'000;

  int64_t Read() { return kBeginUs + ++readings_; }

  int64_t readings_ = 0;
};

}  // namespace varve::cost

#endif  // VARVE_TESTS_COST_COUNTING_CLOCK_H_
