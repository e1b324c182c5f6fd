// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_APPEND_RUN_H_
#define VARVE_BENCH_APPEND_RUN_H_

#include <cstdint>

#include "bench/appender.h"
#include "benchmark/benchmark.h"

namespace varve::bench {

// The body of a benchmark: its threads append to a store of their own, each to
// one of the partitions; an iteration is one append. With kSynced it reports
// also how long an append waits, and how many share a sync.
void RunAppends(benchmark::State& state, const Load& load);

// Reports how many syncs there were, and how many appends of the benchmark's
// threads each of them covered. To be called by one of the threads.
void ReportSyncs(benchmark::State& state, int64_t syncs);

}  // namespace varve::bench

#endif  // VARVE_BENCH_APPEND_RUN_H_
