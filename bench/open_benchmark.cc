// SPDX-License-Identifier: Apache-2.0

// How long does a program wait until its store is open?

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/bare/bare_scan.h"
#include "bench/benchmark_run.h"
#include "bench/latency_sample.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_directory.h"
#include "benchmark/benchmark.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

constexpr char kTopic[] = "bench";
constexpr int kBatch = 64;
constexpr int64_t kRecordBytes = 1024;

std::unique_ptr<LogStore> OpenStore(const std::string& path) {
  absl::StatusOr<std::unique_ptr<LogStore>> store = LogStore::Open(path);
  CHECK_OK(store.status());
  return *std::move(store);
}

Partition PartitionOf(LogStore& store, int32_t index) {
  absl::StatusOr<Partition> partition = store.partition(kTopic, index);
  CHECK_OK(partition.status());
  return *std::move(partition);
}

// Appends `size_bytes` of records to a partition, unsynced.
void Fill(Partition partition, int64_t size_bytes) {
  const std::string value(kRecordBytes, 'v');
  RecordBatchBuilder builder;
  for (int i = 0; i < kBatch; ++i) {
    CHECK_OK(builder.Append({.value = value}, int64_t{1700000000000}));
  }
  for (int64_t size = 0; size < size_bytes; size += kBatch * kRecordBytes) {
    CHECK_OK(partition.Append(builder.Finish(), Durability::kMemory).status());
  }
}

// A store with something in each of its partitions, cleanly closed.
class ClosedStore {
 public:
  ClosedStore(const TopicConfig& config, int64_t bytes_each) {
    const std::unique_ptr<LogStore> store = OpenStore(directory_.path());
    CHECK_OK(store->CreateTopic(kTopic, config));
    for (int32_t i = 0; i < config.partitions; ++i) {
      Fill(PartitionOf(*store, i), bytes_each);
    }
    CHECK_OK(store->Close());
  }

  const std::string& path() const { return directory_.path(); }

 private:
  const ScratchDirectory directory_;
};

// Sets the time of the timed part of each iteration.
void SetTime(benchmark::State& state, int64_t start_nanos) {
  state.SetIterationTime(static_cast<double>(SteadyNanos() - start_nanos) /
                         1e9);
}

// Does it take longer when there are more partitions?
void RunCleanOpen(benchmark::State& state, int partitions) {
  const ClosedStore closed({.partitions = partitions}, 1);
  for (auto _ : state) {
    const int64_t start = SteadyNanos();
    const std::unique_ptr<LogStore> store = OpenStore(closed.path());
    SetTime(state, start);
    CHECK_OK(store->Close());
  }
  state.SetItemsProcessed(state.iterations());
}

// And until each of them was read once?
void RunOpenAndTouch(benchmark::State& state, int partitions) {
  const ClosedStore closed({.partitions = partitions}, 1);
  for (auto _ : state) {
    const int64_t start = SteadyNanos();
    const std::unique_ptr<LogStore> store = OpenStore(closed.path());
    for (int32_t i = 0; i < partitions; ++i) {
      const Partition partition = PartitionOf(*store, i);
      CHECK_OK(partition.Read(partition.log_start()).status());
    }
    SetTime(state, start);
    CHECK_OK(store->Close());
  }
  state.SetItemsProcessed(state.iterations() * partitions);
}

// Does a long history cost anything? Its segments are looked at when they are
// read.
void RunOpenManySegments(benchmark::State& state, int64_t segments) {
  TopicConfig config;
  config.log.segment_bytes = 2 * kBatch * kRecordBytes;
  const ClosedStore closed(config, segments * kBatch * kRecordBytes);
  for (auto _ : state) {
    const int64_t start = SteadyNanos();
    const std::unique_ptr<LogStore> store = OpenStore(closed.path());
    const Partition partition = PartitionOf(*store, 0);
    CHECK_OK(partition.Read(partition.visible_end() - 1).status());
    SetTime(state, start);
    CHECK_OK(store->Close());
  }
  state.SetItemsProcessed(state.iterations());
}

// How long is the recovery of what a killed process had not synced? The store
// is copied while it is open, as a kill would leave it.
void RunRecovery(benchmark::State& state, int64_t size_bytes) {
  const ScratchDirectory original;
  const std::unique_ptr<LogStore> writer = OpenStore(original.path());
  CHECK_OK(writer->CreateTopic(kTopic));
  Fill(PartitionOf(*writer, 0), size_bytes);
  const int64_t end = PartitionOf(*writer, 0).visible_end();
  for (auto _ : state) {
    const ScratchDirectory copy;
    std::filesystem::copy(original.path(), copy.path(),
                          std::filesystem::copy_options::recursive);
    const int64_t start = SteadyNanos();
    const std::unique_ptr<LogStore> store = OpenStore(copy.path());
    const Partition partition = PartitionOf(*store, 0);
    SetTime(state, start);
    CHECK_EQ(partition.visible_end(), end);
    CHECK_OK(store->Close());
  }
  state.SetBytesProcessed(state.iterations() * size_bytes);
  CHECK_OK(writer->Close());
}

// And how long does it take just to read such a file, and to check its CRCs?
void RunBareRecovery(benchmark::State& state, int64_t size_bytes) {
  TopicConfig config;
  config.log.segment_bytes = int64_t{1} << 30;
  const ClosedStore closed(config, size_bytes);
  const std::string path =
      absl::StrCat(closed.path(), "/", kTopic, "-0/00000000000000000000.log");
  for (auto _ : state) {
    const ScratchDirectory copy;
    std::filesystem::copy(path, copy.path() + "/copy");
    const int64_t start = SteadyNanos();
    std::ifstream file(copy.path() + "/copy", std::ios::binary);
    std::string bytes(std::filesystem::file_size(copy.path() + "/copy"), '\0');
    CHECK(file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())));
    benchmark::DoNotOptimize(BareScan(bytes, CrcCheck::kVerify).value_bytes);
    SetTime(state, start);
  }
  state.SetBytesProcessed(state.iterations() * size_bytes);
}

constexpr char kRecovery[] = "Recovery/unsynced:64MiB/durability:memory";
constexpr char kBareRecovery[] =
    "Bare/recovery/unsynced:64MiB/durability:memory";

void RegisterAll() {
  for (const int64_t full : {1, 100, 1000}) {
    const int partitions = static_cast<int>(Scaled(full, full > 1 ? 3 : 1));
    benchmark::RegisterBenchmark(
        absl::StrCat("CleanOpen/partitions:", full, "/durability:synced")
            .c_str(),
        [=](benchmark::State& state) { RunCleanOpen(state, partitions); })
        ->UseManualTime();
    benchmark::RegisterBenchmark(
        absl::StrCat("OpenAndTouch/partitions:", full, "/durability:synced")
            .c_str(),
        [=](benchmark::State& state) { RunOpenAndTouch(state, partitions); })
        ->UseManualTime();
  }
  for (const int64_t full : {1, 1000}) {
    const int64_t segments = Scaled(full, full > 1 ? 10 : 1);
    benchmark::RegisterBenchmark(
        absl::StrCat("OpenAndReadEnd/segments:", full, "/durability:synced")
            .c_str(),
        [=](benchmark::State& state) { RunOpenManySegments(state, segments); })
        ->UseManualTime();
  }
  const int64_t unsynced = Scaled(64 << 20, 1 << 20);
  benchmark::RegisterBenchmark(kRecovery, [=](benchmark::State& state) {
    RunRecovery(state, unsynced);
  })->UseManualTime();
  benchmark::RegisterBenchmark(kBareRecovery, [=](benchmark::State& state) {
    RunBareRecovery(state, unsynced);
  })->UseManualTime();
}

std::vector<Ratio> Ratios() {
  const std::string clean = "CleanOpen/partitions:";
  const std::string segments = "OpenAndReadEnd/segments:";
  const std::string synced = "/durability:synced/manual_time";
  return {
      {"clean open with 1,000 partitions", absl::StrCat(clean, 1000, synced),
       absl::StrCat(clean, 1, synced), "one with 1 partition"},
      {"open and read the end of 1,000 segments",
       absl::StrCat(segments, 1000, synced), absl::StrCat(segments, 1, synced),
       "one of 1 segment"},
      {"recovery of 64 MiB unsynced", absl::StrCat(kRecovery, "/manual_time"),
       absl::StrCat(kBareRecovery, "/manual_time"),
       "reading the file and checking CRCs", "bytes_per_second"},
  };
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios());
}
