// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BENCHMARK_RUN_H_
#define VARVE_BENCH_BENCHMARK_RUN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/ratio_reporter.h"

namespace varve::bench {

// What one program does otherwise than the others.
struct RunSettings {
  // How often each benchmark runs, unless --benchmark_repetitions says it.
  int repetitions = 7;
  // The program's own options: `--NAME=N`, with a whole number. OptionOr
  // returns it.
  std::vector<std::string> options = {};
};

// The main program of every benchmark program:
//
//   append_benchmark [--scratch=DIR] [--smoke] [--NAME=N] [--benchmark_…]
//
// Describes the machine, runs the registered benchmarks, several times each and
// in mixed order, shows medians, and ends with `ratios`. `--smoke` runs
// everything once and small, to see that it works: its figures mean nothing.
// Leaves no file, even when it is interrupted. Returns the exit status.
int RunBenchmarks(int argc, char** argv, void (*register_all)(),
                  const std::vector<Ratio>& ratios,
                  const RunSettings& settings = {});

// Whether this is a smoke run. False before RunBenchmarks registers.
bool IsSmokeRun();

// `full`, or in a smoke run `smoke`.
inline int64_t Scaled(int64_t full, int64_t smoke) {
  return IsSmokeRun() ? smoke : full;
}

// What `--<name>=N` says; without it `full`, or in a smoke run `smoke`.
int64_t OptionOr(std::string_view name, int64_t full, int64_t smoke);

}  // namespace varve::bench

#endif  // VARVE_BENCH_BENCHMARK_RUN_H_
