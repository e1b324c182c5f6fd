// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BENCHMARK_RUN_H_
#define VARVE_BENCH_BENCHMARK_RUN_H_

#include <cstdint>
#include <vector>

#include "bench/ratio_reporter.h"

namespace varve::bench {

// The main program of every benchmark program:
//
//   append_benchmark [--scratch=DIR] [--smoke] [--benchmark_…]
//
// Describes the machine, runs the registered benchmarks, several times each and
// in mixed order, shows medians, and ends with `ratios`. `--smoke` runs
// everything once and small, to see that it works: its figures mean nothing.
// Leaves no file, even when it is interrupted. Returns the exit status.
int RunBenchmarks(int argc, char** argv, void (*register_all)(),
                  const std::vector<Ratio>& ratios);

// Whether this is a smoke run. False before RunBenchmarks registers.
bool IsSmokeRun();

// `full`, or in a smoke run `smoke`.
inline int64_t Scaled(int64_t full, int64_t smoke) {
  return IsSmokeRun() ? smoke : full;
}

}  // namespace varve::bench

#endif  // VARVE_BENCH_BENCHMARK_RUN_H_
