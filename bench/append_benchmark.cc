// SPDX-License-Identifier: Apache-2.0

// What does an append cost, and how far is that from what the machine allows?

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/bare/ceiling_loop.h"
#include "bench/bare/write_loop.h"
#include "bench/benchmark_run.h"
#include "bench/latency_sample.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

struct Load {
  int64_t record = 100;  // bytes of each value
  int batch = 1;         // records
  Durability durability = Durability::kMemory;
  int partitions = 1;
  int64_t segment_bytes = int64_t{1} << 30;
  bool with_key_and_headers = false;
};

std::string_view NameOf(Durability durability) {
  switch (durability) {
    case Durability::kMemory:
      return "memory";
    case Durability::kInterval:
      return "interval";
    case Durability::kSynced:
      return "synced";
  }
  return "unknown";
}

std::string NameOf(std::string_view what, const Load& load) {
  return absl::StrCat(what, "/record:", load.record, "/batch:", load.batch,
                      "/durability:", NameOf(load.durability));
}

void CountRecords(benchmark::State& state, const Load& load) {
  const int64_t records = state.iterations() * load.batch;
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(records * load.record);
}

// One thread's appends: one record at a time, or batches that it encodes
// itself, outside every lock.
class Appender {
 public:
  Appender(const Load& load, Partition partition)
      : load_(load),
        partition_(std::move(partition)),
        value_(static_cast<size_t>(load.record), 'v') {}

  void Append() {
    const Record record = {.key = key_, .value = value_, .headers = headers_};
    if (load_.batch == 1) {
      CHECK_OK(partition_.Append(record, load_.durability).status());
      return;
    }
    builder_.Clear();
    const int64_t now_ms = absl::ToUnixMillis(absl::Now());
    for (int i = 0; i < load_.batch; ++i) {
      CHECK_OK(builder_.Append(record, now_ms));
    }
    CHECK_OK(partition_.Append(builder_.Finish(), load_.durability).status());
  }

  void AddKeyAndHeaders() {
    key_ = "customer-1234567";
    headers_ = kHeaders;
  }

 private:
  static constexpr Header kHeaders[] = {{"trace", "0123456789abcdef"},
                                        {"source", "bench"}};

  const Load load_;
  Partition partition_;
  const std::string value_;
  std::optional<std::string_view> key_;
  absl::Span<const Header> headers_;
  RecordBatchBuilder builder_;
};

// The first thread sets it before the loop of all threads, and clears it after.
std::unique_ptr<ScratchStore> shared_store;

void OpenSharedStore(const Load& load) {
  TopicConfig config = {.partitions = load.partitions};
  config.log.segment_bytes = load.segment_bytes;
  shared_store = std::make_unique<ScratchStore>(config);
}

// How many records a second do threads append, each to one of the partitions?
void RunAppend(benchmark::State& state, const Load& load) {
  if (state.thread_index() == 0) OpenSharedStore(load);
  std::unique_ptr<Appender> appender;
  for (auto _ : state) {
    // Only now is the store certain to exist.
    if (appender == nullptr) {
      appender = std::make_unique<Appender>(
          load,
          shared_store->partition(state.thread_index() % load.partitions));
      if (load.with_key_and_headers) appender->AddKeyAndHeaders();
    }
    appender->Append();
  }
  CountRecords(state, load);
  if (state.thread_index() == 0) shared_store.reset();
}

// Like RunAppend, with each append's time: what does one wait for its sync, and
// how many share one?
void RunTimedAppend(benchmark::State& state, const Load& load) {
  if (state.thread_index() == 0) OpenSharedStore(load);
  std::unique_ptr<Appender> appender;
  LatencySample latencies;
  for (auto _ : state) {
    if (appender == nullptr) {
      appender = std::make_unique<Appender>(load, shared_store->partition());
    }
    const LatencySample::Timer timer(latencies);
    appender->Append();
  }
  CountRecords(state, load);
  latencies.Report(state);
  if (state.thread_index() == 0) shared_store.reset();
}

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
  for (auto _ : state) loop->Append(value, load.batch);
  CountRecords(state, load);
  if (state.thread_index() == 0) loop.reset();
}

// And with write(2), a system call for each batch?
void RunWrite(benchmark::State& state, const Load& load) {
  WriteLoop loop(WriteLoop::File::kGrowing, 0);
  const std::string value(static_cast<size_t>(load.record), 'v');
  for (auto _ : state) loop.Append(value, load.batch);
  CountRecords(state, load);
}

// What does a sync for each append cost without varve?
void RunWriteAndSync(benchmark::State& state, const Load& load,
                     WriteLoop::File file) {
  const int64_t batch_size = 100 + load.batch * (load.record + 32);
  WriteLoop loop(file, batch_size * state.max_iterations);
  const std::string value(static_cast<size_t>(load.record), 'v');
  LatencySample latencies;
  for (auto _ : state) {
    const LatencySample::Timer timer(latencies);
    loop.Append(value, load.batch);
    loop.Sync();
  }
  CountRecords(state, load);
  latencies.Report(state);
}

using Body = void (*)(benchmark::State&, const Load&);

benchmark::internal::Benchmark* Add(const std::string& name, Body body,
                                    const Load& load) {
  return benchmark::RegisterBenchmark(
      name.c_str(), [=](benchmark::State& state) { body(state, load); });
}

// Single-threaded figures in memory are of processor time, which other programs
// on the machine disturb least; the others are of real time.
void RegisterMemory() {
  for (const int64_t record : {100, 1024}) {
    for (const int batch : {1, 8, 64, 512}) {
      const Load load = {.record = record, .batch = batch};
      Add(NameOf("Append", load), RunAppend, load);
      Add(
          NameOf("Bare/pages:populated", load),
          [](benchmark::State& state, const Load& bare) {
            RunCeiling(state, bare, CeilingLoop::Pages::kPopulated);
          },
          load);
      if (record != 100 || (batch != 1 && batch != 64)) continue;
      Add(
          NameOf("Bare/pages:untouched", load),
          [](benchmark::State& state, const Load& bare) {
            RunCeiling(state, bare, CeilingLoop::Pages::kUntouched);
          },
          load);
      Add(
          NameOf("Bare/pages:ahead", load),
          [](benchmark::State& state, const Load& bare) {
            RunCeiling(state, bare, CeilingLoop::Pages::kAhead);
          },
          load);
      Add(NameOf("Write", load), RunWrite, load);
    }
  }
  const Load keyed = {.with_key_and_headers = true};
  Add(NameOf("Append/key:16/headers:2", keyed), RunAppend, keyed);
  const Load interval = {.durability = Durability::kInterval};
  Add(NameOf("Append", interval), RunAppend, interval);
}

// What does it cost to begin a new segment every MiB?
void RegisterRolls() {
  for (const int batch : {1, 64}) {
    const Load load = {.batch = batch, .segment_bytes = 1 << 20};
    Add(NameOf("Append/segment:1MiB", load), RunAppend, load)->UseRealTime();
  }
}

// Does a second thread help, on a partition of its own or on the same one?
void RegisterThreads() {
  for (const int threads : {1, 2, 4}) {
    for (const int partitions : {1, 4}) {
      const Load load = {.partitions = partitions};
      Add(NameOf(absl::StrCat("Append/partitions:", partitions), load),
          RunAppend, load)
          ->Threads(threads)
          ->UseRealTime();
    }
    const Load load;
    Add(
        NameOf("Bare/pages:populated", load),
        [](benchmark::State& state, const Load& bare) {
          RunCeiling(state, bare, CeilingLoop::Pages::kPopulated);
        },
        load)
        ->Threads(threads)
        ->UseRealTime();
  }
}

void RegisterSynced() {
  const Load load = {.durability = Durability::kSynced};
  for (const int threads : {1, 64}) {
    Add(NameOf("Append", load), RunTimedAppend, load)
        ->Threads(threads)
        ->UseRealTime();
  }
  Add(
      NameOf("Write/file:growing", load),
      [](benchmark::State& state, const Load& bare) {
        RunWriteAndSync(state, bare, WriteLoop::File::kGrowing);
      },
      load)
      ->UseRealTime();
  Add(
      NameOf("Write/file:preallocated", load),
      [](benchmark::State& state, const Load& bare) {
        RunWriteAndSync(state, bare, WriteLoop::File::kPreallocated);
      },
      load)
      ->UseRealTime();
}

void RegisterAll() {
  RegisterMemory();
  RegisterRolls();
  RegisterThreads();
  RegisterSynced();
}

std::vector<Ratio> Ratios() {
  const std::string memory = "/durability:memory";
  const std::string synced = "/record:100/batch:1/durability:synced/real_time";
  std::vector<Ratio> ratios;
  for (const std::string load :
       {"/record:100/batch:1", "/record:100/batch:8", "/record:100/batch:64",
        "/record:100/batch:512", "/record:1024/batch:1",
        "/record:1024/batch:64"}) {
    ratios.push_back(
        {.what = absl::StrCat("Append", load, memory),
         .measured = absl::StrCat("Append", load, memory),
         .against = absl::StrCat("Bare/pages:populated", load, memory)});
  }
  const std::string one = absl::StrCat("/record:100/batch:1", memory);
  const std::string append = absl::StrCat("Append", one);
  ratios.push_back({"one by one, beside pages made just ahead", append,
                    absl::StrCat("Bare/pages:ahead", one),
                    "the bare loop with a populating thread"});
  ratios.push_back({"one by one, beside page faults", append,
                    absl::StrCat("Bare/pages:untouched", one),
                    "the bare loop without populating"});
  ratios.push_back({"one by one, beside a system call", append,
                    absl::StrCat("Write", one), "write(2) of the same bytes"});
  ratios.push_back({"rolling every MiB",
                    absl::StrCat("Append/segment:1MiB", one, "/real_time"),
                    append, "one segment"});
  ratios.push_back(
      {"two threads on one partition",
       absl::StrCat("Append/partitions:1", one, "/real_time/threads:2"),
       absl::StrCat("Bare/pages:populated", one, "/real_time/threads:2"),
       "the bare loop of two threads"});
  ratios.push_back({"one sync each, one thread",
                    absl::StrCat("Append", synced, "/threads:1"),
                    absl::StrCat("Write/file:growing", synced),
                    "write + fdatasync into a growing file"});
  ratios.push_back({"one sync each, one thread",
                    absl::StrCat("Append", synced, "/threads:1"),
                    absl::StrCat("Write/file:preallocated", synced),
                    "write + fdatasync into a preallocated file"});
  ratios.push_back({"one sync each, shared by 64 threads",
                    absl::StrCat("Append", synced, "/threads:64"),
                    absl::StrCat("Append", synced, "/threads:1"),
                    "one thread"});
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios());
}
