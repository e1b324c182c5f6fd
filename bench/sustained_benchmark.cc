// SPDX-License-Identifier: Apache-2.0

// What is left of the speed of appends over many segments, when memory has to
// be provided, sealed segments are synced, and nothing comes back to warm
// pages?
//
//   sustained_benchmark [--segments=8] [--segment_mib=256] …
//
// As given, the bytes stay below the limit from which the kernel writes in the
// background: segments are smaller where that is low. Give --segment_mib=1024
// to go past it.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/appender.h"
#include "bench/bare/bare_batch.h"
#include "bench/bare/ceiling_loop.h"
#include "bench/bare/write_loop.h"
#include "bench/benchmark_run.h"
#include "bench/dirty_limit.h"
#include "bench/instruction_count.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/topic_config.h"

namespace varve::bench {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

int64_t SegmentCount() { return OptionOr("segments", 8, 2); }

// So many segments are filled, and half of the next one.
int64_t BytesOf(int64_t segment_bytes) {
  return SegmentCount() * segment_bytes + segment_bytes / 2;
}

int64_t ChooseSegmentBytes() {
  const int64_t given = OptionOr("segment_mib", 0, 0) * kMiB;
  if (given > 0) return given;
  const int64_t wanted = Scaled(256 * kMiB, kMiB);
  const int64_t limit = DirtyBackgroundLimit().value_or(BytesOf(wanted));
  if (BytesOf(wanted) <= limit) return wanted;
  return std::max(kMiB, limit / (SegmentCount() + 1) / kMiB * kMiB);
}

// The same for all benchmarks of a run, although the limit moves.
int64_t SegmentBytes() {
  static const int64_t chosen = ChooseSegmentBytes();
  return chosen;
}

// One iteration: appends batches until all bytes are written.
void RunUntilFull(benchmark::State& state, const Load& load,
                  const std::function<void()>& append) {
  const int64_t batch_size = BareBatchSize(load.record, load.batch);
  const int64_t appends = BytesOf(SegmentBytes()) / batch_size;
  const InstructionCount instructions;
  for (auto _ : state) {
    for (int64_t i = 0; i < appends; ++i) append();
  }
  instructions.Report(state, appends * load.batch);
  state.SetItemsProcessed(appends * load.batch);
  state.SetBytesProcessed(appends * batch_size);
  state.counters["segment_MiB"] = static_cast<double>(SegmentBytes() / kMiB);
}

// Closing the store, which syncs what is left, is not in the time, nor is
// removing the files, here and below.
void RunLog(benchmark::State& state, const Load& load) {
  TopicConfig config;
  config.log.segment_bytes = SegmentBytes();
  ScratchStore store(config);
  Appender appender(load, store.partition());
  RunUntilFull(state, load, [&] { appender.Append(); });
  state.counters["segments"] =
      static_cast<double>(store.partition().segment_count());
}

// The bare loop over the same bytes, in one file.
void RunCeiling(benchmark::State& state, const Load& load) {
  CeilingLoop loop(BytesOf(SegmentBytes()) +
                       BareBatchSize(load.record, load.batch) +
                       load.batch * kBareRecordOverheadMax,
                   CeilingLoop::Pages::kAhead);
  const std::string value(static_cast<size_t>(load.record), 'v');
  RunUntilFull(state, load, [&] { loop.Append(value, load.batch); });
}

// write(2) of the same batches.
void RunWrite(benchmark::State& state, const Load& load) {
  WriteLoop loop(WriteLoop::File::kGrowing, 0);
  const std::string value(static_cast<size_t>(load.record), 'v');
  RunUntilFull(state, load, [&] { loop.Append(value, load.batch); });
}

// write(2) of as many records, each after its length, in buffers of as many.
void RunWritePrefixed(benchmark::State& state, const Load& load) {
  WriteLoop loop(WriteLoop::File::kGrowing, 0);
  const std::string value(static_cast<size_t>(load.record), 'v');
  RunUntilFull(state, load, [&] { loop.AppendPrefixed(value, load.batch); });
}

void Add(std::string_view what, const Load& load,
         void (*body)(benchmark::State&, const Load&)) {
  benchmark::RegisterBenchmark(
      LoadName(what, load).c_str(),
      [=](benchmark::State& state) { body(state, load); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1);
}

constexpr Load kLoads[] = {
    {.record = 100, .batch = 1},
    {.record = 100, .batch = 64},
    {.record = 1024, .batch = 64},
};

void RegisterAll() {
  for (const Load& load : kLoads) {
    Add("Append", load, RunLog);
    Add("Bare/pages:ahead", load, RunCeiling);
    Add("Write", load, RunWrite);
    Add("Write/form:prefixed", load, RunWritePrefixed);
  }
}

std::vector<Ratio> Ratios() {
  std::vector<Ratio> ratios;
  for (const Load& load : kLoads) {
    const auto full = [&](std::string_view what) {
      return absl::StrCat(LoadName(what, load), "/iterations:1/real_time");
    };
    const std::string what = LoadName("sustained", load);
    ratios.push_back({what, full("Append"), full("Bare/pages:ahead"),
                      "the bare loop with a populating thread"});
    ratios.push_back(
        {what, full("Append"), full("Write"), "write(2) of the same bytes"});
    ratios.push_back({what, full("Append"), full("Write/form:prefixed"),
                      "write(2) of records with a length"});
  }
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(
      argc, argv, varve::bench::RegisterAll, varve::bench::Ratios(),
      {.repetitions = 5, .options = {"segments", "segment_mib"}});
}
