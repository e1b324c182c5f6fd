// SPDX-License-Identifier: Apache-2.0

#include "bench/append_run.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "bench/appender.h"
#include "bench/instruction_count.h"
#include "bench/latency_sample.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/store_metrics.h"
#include "varve/api/topic_config.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

// The first thread sets it before the loop of all threads, and clears it after.
std::unique_ptr<ScratchStore> shared_store;

void OpenSharedStore(const Load& load) {
  TopicConfig config = {.partitions = load.partitions};
  config.log.segment_bytes = load.segment_bytes;
  shared_store = std::make_unique<ScratchStore>(config);
}

// The iterations of one thread. The store is certain to exist only in them.
void Append(benchmark::State& state, const Load& load) {
  std::optional<Appender> appender;
  const int partition = state.thread_index() % load.partitions;
  const InstructionCount instructions;
  for (auto _ : state) {
    if (!appender.has_value())
      appender.emplace(load, shared_store->partition(partition));
    appender->Append();
  }
  instructions.Report(state, state.iterations() * load.batch);
}

void AppendAndTime(benchmark::State& state, const Load& load) {
  std::optional<Appender> appender;
  const int partition = state.thread_index() % load.partitions;
  LatencySample latencies;
  for (auto _ : state) {
    if (!appender.has_value())
      appender.emplace(load, shared_store->partition(partition));
    const LatencySample::Timer timer(latencies);
    appender->Append();
  }
  latencies.Report(state);
}

}  // namespace

void RunAppends(benchmark::State& state, const Load& load) {
  const bool is_synced = load.durability == Durability::kSynced;
  const bool is_first = state.thread_index() == 0;
  if (is_first) OpenSharedStore(load);
  if (is_synced) {
    AppendAndTime(state, load);
  } else {
    Append(state, load);
  }
  CountRecords(state, load);
  if (!is_first) return;
  const StoreMetrics metrics = shared_store->store().Metrics();
  if (is_synced) ReportSyncs(state, metrics.sync_batches.count());
  shared_store.reset();
}

void ReportSyncs(benchmark::State& state, int64_t syncs) {
  using benchmark::Counter;
  const auto count = static_cast<double>(std::max<int64_t>(syncs, 1));
  const auto appends =
      static_cast<double>(state.iterations() * state.threads());
  state.counters["syncs_per_second"] = Counter(count, Counter::kIsRate);
  state.counters["appends_per_sync"] = appends / count;
}

}  // namespace varve::bench
