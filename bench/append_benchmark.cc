// SPDX-License-Identifier: Apache-2.0

// What does an append cost, and how far is that from what the machine allows?

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/append_run.h"
#include "bench/appender.h"
#include "bench/bare/ceiling_loop.h"
#include "bench/bare/write_loop.h"
#include "bench/benchmark_run.h"
#include "bench/instruction_count.h"
#include "bench/ratio_reporter.h"
#include "benchmark/benchmark.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

// How fast may it be at all? The bare loop, in memory that is there already;
// with a second thread that provides it just ahead; and with a page fault at
// every page's first store.
void RunCeiling(benchmark::State& state, const Load& load,
                CeilingLoop::Pages pages) {
  static std::unique_ptr<CeilingLoop> loop;
  if (state.thread_index() == 0) {
    const int64_t batch_size = 100 + load.batch * (load.record + 32);
    const int64_t size = pages == CeilingLoop::Pages::kPopulated
                             ? Scaled(256 << 20, 1 << 20)
                             : batch_size * state.max_iterations;
    loop = std::make_unique<CeilingLoop>(std::max(size, batch_size), pages);
  }
  const std::string value(static_cast<size_t>(load.record), 'v');
  const InstructionCount instructions;
  for (auto _ : state) loop->Append(value, load.batch);
  instructions.Report(state, state.iterations() * load.batch);
  CountRecords(state, load);
  if (state.thread_index() == 0) loop.reset();
}

// And with write(2), a system call for each batch?
void RunWrite(benchmark::State& state, const Load& load) {
  WriteLoop loop(WriteLoop::File::kGrowing, 0);
  const std::string value(static_cast<size_t>(load.record), 'v');
  const InstructionCount instructions;
  for (auto _ : state) loop.Append(value, load.batch);
  instructions.Report(state, state.iterations() * load.batch);
  CountRecords(state, load);
}

// The same of a log written by hand, whose records only have a length.
void RunWritePrefixed(benchmark::State& state, const Load& load) {
  WriteLoop loop(WriteLoop::File::kGrowing, 0);
  const std::string value(static_cast<size_t>(load.record), 'v');
  const InstructionCount instructions;
  for (auto _ : state) loop.AppendPrefixed(value, load.batch);
  instructions.Report(state, state.iterations() * load.batch);
  CountRecords(state, load);
}

using Body = void (*)(benchmark::State&, const Load&);

benchmark::internal::Benchmark* Add(const std::string& name, Body body,
                                    const Load& load) {
  return benchmark::RegisterBenchmark(
      name.c_str(), [=](benchmark::State& state) { body(state, load); });
}

void AddCeiling(const std::string& name, CeilingLoop::Pages pages,
                const Load& load) {
  benchmark::RegisterBenchmark(
      LoadName(name, load).c_str(),
      [=](benchmark::State& state) { RunCeiling(state, load, pages); });
}

// Single-threaded figures in memory are of processor time, which other programs
// on the machine disturb least; the others are of real time.
void RegisterMemory() {
  for (const int64_t record : {100, 1024}) {
    for (const int batch : {1, 8, 64, 512}) {
      const Load load = {.record = record, .batch = batch};
      Add(LoadName("Append", load), RunAppends, load);
      AddCeiling("Bare/pages:populated", CeilingLoop::Pages::kPopulated, load);
      if (batch != 1 && batch != 64) continue;
      AddCeiling("Bare/pages:untouched", CeilingLoop::Pages::kUntouched, load);
      AddCeiling("Bare/pages:ahead", CeilingLoop::Pages::kAhead, load);
      Add(LoadName("Write", load), RunWrite, load);
      Add(LoadName("Write/form:prefixed", load), RunWritePrefixed, load);
    }
  }
  const Load keyed = {.with_key_and_headers = true};
  Add(LoadName("Append/key:16/headers:2", keyed), RunAppends, keyed);
  const Load interval = {.durability = Durability::kInterval};
  Add(LoadName("Append", interval), RunAppends, interval);
}

// What does it cost to begin a new segment every MiB?
void RegisterRolls() {
  for (const int batch : {1, 64}) {
    const Load load = {.batch = batch, .segment_bytes = 1 << 20};
    Add(LoadName("Append/segment:1MiB", load), RunAppends, load)->UseRealTime();
  }
}

// Does a second thread help, on a partition of its own or on the same one?
void RegisterThreads() {
  for (const int threads : {1, 2, 4}) {
    for (const int partitions : {1, 4}) {
      const Load load = {.partitions = partitions};
      Add(LoadName(absl::StrCat("Append/partitions:", partitions), load),
          RunAppends, load)
          ->Threads(threads)
          ->UseRealTime();
    }
    const Load load;
    Add(
        LoadName("Bare/pages:populated", load),
        [](benchmark::State& state, const Load& bare) {
          RunCeiling(state, bare, CeilingLoop::Pages::kPopulated);
        },
        load)
        ->Threads(threads)
        ->UseRealTime();
  }
}

void RegisterAll() {
  RegisterMemory();
  RegisterRolls();
  RegisterThreads();
}

// An append beside the bare loops that do as much for it, or more.
void AddRatios(const std::string& load, std::vector<Ratio>& ratios) {
  const std::string append = absl::StrCat("Append", load);
  const auto add = [&](const std::string& against, const std::string& what) {
    ratios.push_back({.what = append,
                      .measured = append,
                      .against = absl::StrCat(against, load),
                      .against_what = what});
  };
  add("Bare/pages:populated", "the bare loop in memory that is there");
  add("Bare/pages:ahead", "the bare loop with a populating thread");
  add("Bare/pages:untouched", "the bare loop without populating");
  add("Write", "write(2) of the same bytes");
  add("Write/form:prefixed", "write(2) of records with a length");
}

std::vector<Ratio> Ratios() {
  const std::string memory = "/durability:memory";
  std::vector<Ratio> ratios;
  for (const std::string load :
       {"/record:100/batch:1", "/record:100/batch:8", "/record:100/batch:64",
        "/record:100/batch:512", "/record:1024/batch:1",
        "/record:1024/batch:64"}) {
    AddRatios(absl::StrCat(load, memory), ratios);
  }
  const std::string one = absl::StrCat("/record:100/batch:1", memory);
  ratios.push_back({"rolling every MiB",
                    absl::StrCat("Append/segment:1MiB", one, "/real_time"),
                    absl::StrCat("Append", one), "one segment"});
  ratios.push_back(
      {"two threads on one partition",
       absl::StrCat("Append/partitions:1", one, "/real_time/threads:2"),
       absl::StrCat("Bare/pages:populated", one, "/real_time/threads:2"),
       "the bare loop of two threads"});
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios());
}
