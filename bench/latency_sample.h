// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_LATENCY_SAMPLE_H_
#define VARVE_BENCH_LATENCY_SAMPLE_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"

namespace varve::bench {

// The steady clock, in ns.
inline int64_t SteadyNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// The latencies of one thread; every one is kept.
//
// Thread safety: externally synchronized.
class LatencySample {
 public:
  // Up to `expected` of them are kept in memory that is there from the first
  // on: then keeping one faults on no page.
  explicit LatencySample(int64_t expected = 1 << 12) {
    nanos_.resize(static_cast<size_t>(expected));
    nanos_.clear();
  }

  void Add(int64_t nanos) { nanos_.push_back(nanos); }

  // Adds the time from its construction to its destruction.
  class Timer {
   public:
    explicit Timer(LatencySample& sample)
        : sample_(sample), start_(SteadyNanos()) {}
    ~Timer() { sample_.Add(SteadyNanos() - start_); }

    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    LatencySample& sample_;
    const int64_t start_;
  };

  // The value that `fraction` of the sample do not exceed, in µs.
  double Micros(double fraction) {
    if (nanos_.empty()) return 0;
    const auto nth =
        nanos_.begin() + static_cast<std::ptrdiff_t>(
                             fraction * static_cast<double>(nanos_.size() - 1));
    std::nth_element(nanos_.begin(), nth, nanos_.end());
    return static_cast<double>(*nth) / 1000;
  }

  // As counters of the benchmark, the mean of its threads.
  void Report(benchmark::State& state) {
    ReportAs("p50_us", 0.50, state);
    ReportAs("p99_us", 0.99, state);
  }

  // The same, with the tail: for samples of 10,000 and more.
  void ReportTail(benchmark::State& state) {
    Report(state);
    ReportAs("p99.9_us", 0.999, state);
    ReportAs("p99.99_us", 0.9999, state);
    ReportAs("max_us", 1, state);
  }

 private:
  void ReportAs(const char* name, double fraction, benchmark::State& state) {
    using benchmark::Counter;
    state.counters[name] = Counter(Micros(fraction), Counter::kAvgThreads);
  }

  std::vector<int64_t> nanos_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_LATENCY_SAMPLE_H_
