// SPDX-License-Identifier: Apache-2.0

#include "bench/instruction_count.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "benchmark/benchmark.h"

namespace varve::bench {

InstructionCount::InstructionCount() {
  struct perf_event_attr what = {};
  what.type = PERF_TYPE_HARDWARE;
  what.size = sizeof what;
  what.config = PERF_COUNT_HW_INSTRUCTIONS;
  what.exclude_kernel = 1;
  what.exclude_hv = 1;
  constexpr int kThisThread = 0;
  constexpr int kAnyCore = -1;
  constexpr int kNoGroup = -1;
  fd_ = static_cast<int>(syscall(SYS_perf_event_open, &what, kThisThread,
                                 kAnyCore, kNoGroup, PERF_FLAG_FD_CLOEXEC));
}

InstructionCount::~InstructionCount() {
  if (fd_ >= 0) close(fd_);
}

std::optional<int64_t> InstructionCount::value() const {
  int64_t count = 0;
  if (fd_ < 0 || read(fd_, &count, sizeof count) != sizeof count)
    return std::nullopt;
  return count;
}

void InstructionCount::Report(benchmark::State& state, int64_t items) const {
  const std::optional<int64_t> count = value();
  if (!count.has_value()) return;
  const auto each = static_cast<double>(*count) /
                    static_cast<double>(std::max<int64_t>(items, 1));
  state.counters["instructions"] =
      benchmark::Counter(each, benchmark::Counter::kAvgThreads);
}

}  // namespace varve::bench
