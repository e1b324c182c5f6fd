// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_INSTRUCTION_COUNT_H_
#define VARVE_BENCH_INSTRUCTION_COUNT_H_

#include <cstdint>
#include <optional>

#include "benchmark/benchmark.h"

namespace varve::bench {

// The instructions that this thread executes outside the kernel, from its
// construction on. Times of two loops are those of one machine at one moment;
// their instructions say whether the slower one also has more to do. Most
// virtual machines do not let a program count them: then there is no count.
//
// Thread safety: belongs to the thread that made it.
class InstructionCount {
 public:
  InstructionCount();
  ~InstructionCount();

  InstructionCount(const InstructionCount&) = delete;
  InstructionCount& operator=(const InstructionCount&) = delete;

  // Those so far. Nothing where they cannot be counted.
  std::optional<int64_t> value() const;

  // Those so far for each of `items`, as a counter of the benchmark: the mean
  // of its threads. No counter where they cannot be counted.
  void Report(benchmark::State& state, int64_t items) const;

 private:
  int fd_ = -1;  // of the kernel's counter
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_INSTRUCTION_COUNT_H_
