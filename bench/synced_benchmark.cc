// SPDX-License-Identifier: Apache-2.0

// What does an append wait for its sync, and how many share one?

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/append_run.h"
#include "bench/appender.h"
#include "bench/bare/bare_batch.h"
#include "bench/bare/group_commit_loop.h"
#include "bench/bare/write_loop.h"
#include "bench/benchmark_run.h"
#include "bench/latency_sample.h"
#include "bench/ratio_reporter.h"
#include "benchmark/benchmark.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

constexpr int64_t kRecordBytes = 100;

// What threads share: a file for each partition, or one for all of them.
struct Sharing {
  int threads = 1;
  int files = 1;
};

// Of a loop, which begins again at the front.
int64_t FileSize(int files) { return Scaled((16 << 20) / files, 64 << 10); }

// How fast can threads be that share their syncs by the shortest code? A thread
// appends to one of the files.
void RunGroupCommit(benchmark::State& state, GroupCommitLoop::Way way,
                    int files) {
  static std::vector<std::unique_ptr<GroupCommitLoop>> loops;
  if (state.thread_index() == 0) {
    for (int i = 0; i < files; ++i) {
      loops.push_back(std::make_unique<GroupCommitLoop>(way, FileSize(files)));
    }
  }
  const auto own = static_cast<size_t>(state.thread_index() % files);
  const std::string value(kRecordBytes, 'v');
  LatencySample latencies;
  for (auto _ : state) {
    const LatencySample::Timer timer(latencies);
    loops[own]->Append(value);
  }
  CountRecords(state, {.record = kRecordBytes});
  latencies.Report(state);
  if (state.thread_index() != 0) return;
  int64_t syncs = 0;
  for (const auto& loop : loops) syncs += loop->sync_count();
  ReportSyncs(state, syncs);
  loops.clear();
}

// And one thread, with a write and a sync for each append?
void RunWriteAndSync(benchmark::State& state, WriteLoop::File file) {
  WriteLoop loop(file, BareBatchSize(kRecordBytes, 1) * state.max_iterations);
  const std::string value(kRecordBytes, 'v');
  LatencySample latencies;
  for (auto _ : state) {
    const LatencySample::Timer timer(latencies);
    loop.Append(value, 1);
    loop.Sync();
  }
  CountRecords(state, {.record = kRecordBytes});
  latencies.Report(state);
  ReportSyncs(state, state.iterations());
}

constexpr Sharing kSharings[] = {{1, 1}, {8, 1}, {64, 1}, {8, 8}, {64, 64}};

std::string Named(std::string_view what, std::string_view places, int count) {
  return LoadName(absl::StrCat(what, "/", places, ":", count),
                  {.record = kRecordBytes, .durability = Durability::kSynced});
}

void RegisterAppends() {
  for (const auto& [threads, partitions] : kSharings) {
    const Load load = {.record = kRecordBytes,
                       .durability = Durability::kSynced,
                       .partitions = partitions,
                       .segment_bytes = int64_t{64} << 20};
    benchmark::RegisterBenchmark(
        Named("Append", "partitions", partitions).c_str(),
        [=](benchmark::State& state) { RunAppends(state, load); })
        ->Threads(threads)
        ->UseRealTime();
  }
}

void RegisterGroupCommits() {
  for (const auto& [threads, files] : kSharings) {
    const int file_count = files;
    benchmark::RegisterBenchmark(
        Named("Bare/group_commit", "files", files).c_str(),
        [=](benchmark::State& state) {
          RunGroupCommit(state, GroupCommitLoop::Way::kSync, file_count);
        })
        ->Threads(threads)
        ->UseRealTime();
    if (files > 1) continue;
    benchmark::RegisterBenchmark(
        Named("Bare/direct_commit", "files", 1).c_str(),
        [](benchmark::State& state) {
          RunGroupCommit(state, GroupCommitLoop::Way::kDirect, 1);
        })
        ->Threads(threads)
        ->UseRealTime();
  }
}

void RegisterAll() {
  RegisterAppends();
  RegisterGroupCommits();
  benchmark::RegisterBenchmark(Named("Write/growing", "files", 1).c_str(),
                               [](benchmark::State& state) {
                                 RunWriteAndSync(state,
                                                 WriteLoop::File::kGrowing);
                               })
      ->UseRealTime();
  benchmark::RegisterBenchmark(Named("Write/preallocated", "files", 1).c_str(),
                               [](benchmark::State& state) {
                                 RunWriteAndSync(
                                     state, WriteLoop::File::kPreallocated);
                               })
      ->UseRealTime();
}

std::string Full(std::string_view what, std::string_view places,
                 Sharing sharing) {
  return absl::StrCat(Named(what, places, sharing.files),
                      "/real_time/threads:", sharing.threads);
}

std::vector<Ratio> Ratios() {
  const std::string one = Full("Append", "partitions", {1, 1});
  const auto write = [](std::string_view what) {
    return absl::StrCat(Named(what, "files", 1), "/real_time");
  };
  std::vector<Ratio> ratios = {
      {"one thread", one, write("Write/growing"),
       "write + fdatasync into a growing file"},
      {"one thread", one, write("Write/preallocated"),
       "write + fdatasync into a preallocated file"},
      {"8 threads, 1 partition", Full("Append", "partitions", {8, 1}), one,
       "one thread"},
      {"64 threads, 1 partition", Full("Append", "partitions", {64, 1}), one,
       "one thread"},
  };
  for (const Sharing sharing : kSharings) {
    const std::string what =
        absl::StrCat(sharing.threads, " threads, ", sharing.files,
                     sharing.files == 1 ? " partition" : " partitions");
    const std::string append = Full("Append", "partitions", sharing);
    const Sharing one_file = {sharing.threads, 1};
    ratios.push_back({what, append, Full("Bare/group_commit", "files", sharing),
                      "the bare group commit, a file for each partition"});
    ratios.push_back({what, append,
                      Full("Bare/direct_commit", "files", one_file),
                      "direct writes of one shared file"});
    if (sharing.files == 1) continue;
    ratios.push_back({what, append,
                      Full("Bare/group_commit", "files", one_file),
                      "the bare group commit of one shared file"});
  }
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios());
}
