// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_OPEN_LOOP_H_
#define VARVE_BENCH_OPEN_LOOP_H_

#include <cstdint>

#include "bench/latency_sample.h"

namespace varve::bench {

// Calls `call(due_ns)` at a fixed rate by the steady clock, spinning in
// between, until `is_done()`, which is asked before each. A call that takes
// long delays those after it, as in a program whose work does not wait for it.
// So count a latency from the time that the call was due at, which it is given,
// and not from when it began.
template <class IsDone, class Call>
void CallAtRateUntil(int64_t calls_per_second, IsDone is_done, Call call) {
  const int64_t interval = 1'000'000'000 / calls_per_second;
  int64_t due = SteadyNanos() + 1'000'000;
  for (; !is_done(); due += interval) {
    while (SteadyNanos() < due) {
    }
    call(due);
  }
}

// The same, `count` times.
template <class Call>
void CallAtRate(int64_t calls_per_second, int64_t count, Call call) {
  CallAtRateUntil(
      calls_per_second, [&] { return count-- <= 0; }, call);
}

}  // namespace varve::bench

#endif  // VARVE_BENCH_OPEN_LOOP_H_
