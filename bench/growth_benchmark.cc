// SPDX-License-Identifier: Apache-2.0

// Do appends and reads cost more when there is more: partitions, bytes in a
// record, threads, bytes in a log?
//
//   growth_benchmark [--partitions_max=10000] [--log_mib_max=4096] …
//
// Both options say where to stop. All is in the page cache: --log_mib_max is to
// be less than the memory.

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "bench/append_run.h"
#include "bench/appender.h"
#include "bench/bare/bare_batch.h"
#include "bench/bare/bare_scan.h"
#include "bench/bare/ceiling_loop.h"
#include "bench/benchmark_run.h"
#include "bench/filled_store.h"
#include "bench/instruction_count.h"
#include "bench/latency_sample.h"
#include "bench/partition_reads.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

constexpr int64_t kRecordBytes = 100;
constexpr int64_t kMiB = int64_t{1} << 20;

// Appends, and reads, of one iteration.
int64_t CallCount() { return Scaled(200'000, 100); }

// Anywhere before `end`, in an order nothing can foresee.
class Anywhere {
 public:
  explicit Anywhere(int64_t end) : before_end_(0, end - 1) {}
  int64_t Next() { return before_end_(random_); }

 private:
  std::minstd_rand random_ = std::minstd_rand(1);
  std::uniform_int_distribution<int64_t> before_end_;
};

// Reports how long one of `count` calls takes that `work` makes.
template <class Work>
void ReportNanos(benchmark::State& state, const char* counter, int64_t count,
                 Work work) {
  const int64_t start = SteadyNanos();
  work();
  state.counters[counter] =
      static_cast<double>(SteadyNanos() - start) / static_cast<double>(count);
}

// A program that writes to one partition after the other, and reads likewise.
void RunPartitions(benchmark::State& state, int32_t count) {
  TopicConfig config = {.partitions = count};
  config.log.segment_bytes = 16 * kMiB;
  ScratchStore store(config);
  const std::string value(kRecordBytes, 'v');
  const auto append = [&](int64_t index) {
    CHECK_OK(store.partition(static_cast<int>(index))
                 .Append({.value = value}, Durability::kMemory)
                 .status());
  };
  for (int32_t i = 0; i < count; ++i) append(i);
  Anywhere partitions(count);
  const InstructionCount instructions;
  for (auto _ : state) {
    for (int64_t i = 0; i < CallCount(); ++i) append(partitions.Next());
  }
  instructions.Report(state, CallCount());
  state.SetItemsProcessed(CallCount());
  ReportNanos(state, "read_ns", CallCount(), [&] {
    for (int64_t i = 0; i < CallCount(); ++i) {
      const Partition& partition =
          store.partition(static_cast<int>(partitions.Next()));
      ReadRecord(partition, i % partition.visible_end());
    }
  });
}

// Of one size, as many as are a quarter of a GiB, or half a million.
int64_t RecordCount(int64_t record) {
  const int64_t fitting =
      Scaled(256 * kMiB, 64 << 10) / BareBatchSize(record, 1);
  return std::clamp<int64_t>(fitting, 1, 500'000);
}

void CountRecords(benchmark::State& state, int64_t record) {
  state.SetItemsProcessed(RecordCount(record));
  state.SetBytesProcessed(RecordCount(record) * record);
}

void RunRecordSize(benchmark::State& state, int64_t record) {
  TopicConfig config;
  config.log.max_message_bytes = 2 * kMiB;
  ScratchStore store(config);
  Appender appender({.record = record}, store.partition());
  const int64_t count = RecordCount(record);
  const InstructionCount instructions;
  for (auto _ : state) {
    for (int64_t i = 0; i < count; ++i) appender.Append();
  }
  instructions.Report(state, count);
  CountRecords(state, record);
  ReportNanos(state, "read_ns", count, [&] {
    CHECK_EQ(ScanRecords(store.partition(), 0, CrcCheck::kVerify), count);
  });
}

// The bare loops on the same records.
void RunBareRecordSize(benchmark::State& state, int64_t record) {
  const int64_t count = RecordCount(record);
  CeilingLoop loop(
      (count + 1) * (BareBatchSize(record, 1) + kBareRecordOverheadMax),
      CeilingLoop::Pages::kAhead);
  const std::string value(static_cast<size_t>(record), 'v');
  const InstructionCount instructions;
  for (auto _ : state) {
    for (int64_t i = 0; i < count; ++i) loop.Append(value, 1);
  }
  instructions.Report(state, count);
  CountRecords(state, record);
  ReportNanos(state, "read_ns", count, [&] {
    CHECK_EQ(BareScan(loop.visible_bytes(), CrcCheck::kVerify).record_count,
             count);
  });
}

// Records anywhere in a log, after it was scanned once, and synced, so that no
// page of it is still to be written.
void RunLogSize(benchmark::State& state, int64_t size_bytes) {
  Filling filling = {
      .record = kRecordBytes, .batch = 64, .segment_bytes = 256 * kMiB};
  filling.records = RecordsIn(size_bytes, filling);
  FilledStore filled(filling);
  CHECK_OK(filled.store().SyncAll());
  ReportNanos(state, "scan_ns", filled.record_count(), [&] {
    CHECK_EQ(ScanRecords(filled.partition(), 0, CrcCheck::kVerify),
             filled.record_count());
  });
  Anywhere offsets(filled.record_count());
  const InstructionCount instructions;
  for (auto _ : state) {
    for (int64_t i = 0; i < CallCount(); ++i) {
      ReadRecord(filled.partition(), offsets.Next());
    }
  }
  instructions.Report(state, CallCount());
  state.SetItemsProcessed(CallCount());
}

constexpr int64_t kPartitionCounts[] = {1, 10, 100, 1000, 10'000};
constexpr int64_t kRecordSizes[] = {16, 256, 4096, 65'536, 1'048'576};
constexpr int64_t kLogMiB[] = {1, 32, 1024, 4096, 16'384, 65'536};
constexpr int kThreadCounts[] = {1, 2, 4, 8, 16};

void Add(std::string_view what, int64_t count,
         void (*body)(benchmark::State&, int64_t), int64_t scaled) {
  benchmark::RegisterBenchmark(
      absl::StrCat(what, count, "/durability:memory").c_str(),
      [=](benchmark::State& state) { body(state, scaled); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1);
}

constexpr char kPartitions[] = "Append/partitions:";
constexpr char kRecords[] = "Append/record:";
constexpr char kBareRecords[] = "Bare/pages:ahead/record:";
constexpr char kLogs[] = "Read/log_MiB:";

void RegisterSizes() {
  for (const int64_t count : kPartitionCounts) {
    if (count > OptionOr("partitions_max", 10'000, 10'000)) continue;
    Add(
        kPartitions, count,
        [](benchmark::State& state, int64_t scaled) {
          RunPartitions(state, static_cast<int32_t>(scaled));
        },
        Scaled(count, std::min<int64_t>(count, 10)));
  }
  for (const int64_t record : kRecordSizes) {
    Add(kRecords, record, RunRecordSize, record);
    Add(kBareRecords, record, RunBareRecordSize, record);
  }
  for (const int64_t mib : kLogMiB) {
    if (mib > OptionOr("log_mib_max", 4096, 4096)) continue;
    Add(kLogs, mib, RunLogSize, Scaled(mib, 1) * kMiB);
  }
}

std::string ThreadsName(int partitions, int batch) {
  return LoadName(absl::StrCat("Append/threads/partitions:", partitions),
                  {.record = kRecordBytes, .batch = batch});
}

// Each to a partition of its own, or all to one.
void RegisterThreads() {
  for (const int threads : kThreadCounts) {
    for (const int batch : {1, 64}) {
      for (const int partitions : {1, threads}) {
        const Load load = {.record = kRecordBytes,
                           .batch = batch,
                           .partitions = partitions,
                           .segment_bytes = 256 * kMiB};
        benchmark::RegisterBenchmark(
            ThreadsName(partitions, batch).c_str(),
            [=](benchmark::State& state) { RunAppends(state, load); })
            ->Threads(threads)
            ->UseRealTime();
        if (threads == 1) break;
      }
    }
  }
}

void RegisterAll() {
  RegisterSizes();
  RegisterThreads();
}

// Each of the `counts` beside the first one.
template <class Counts>
void CompareWithFirst(const Counts& counts, const std::string& what,
                      const std::string& nanos, std::vector<Ratio>& ratios) {
  constexpr char kRun[] = "/durability:memory/iterations:1/real_time";
  for (const int64_t count : counts) {
    if (count == counts[0]) continue;
    ratios.push_back({.what = absl::StrCat(what, count),
                      .measured = absl::StrCat(what, count, kRun),
                      .against = absl::StrCat(what, counts[0], kRun),
                      .against_what = absl::StrCat("that of ", counts[0]),
                      .more_counters = {nanos}});
  }
}

std::vector<Ratio> Ratios() {
  std::vector<Ratio> ratios;
  CompareWithFirst(kPartitionCounts, kPartitions, "read_ns", ratios);
  CompareWithFirst(kLogMiB, kLogs, "scan_ns", ratios);
  constexpr char kRun[] = "/durability:memory/iterations:1/real_time";
  for (const int64_t record : kRecordSizes) {
    ratios.push_back({.what = absl::StrCat(kRecords, record),
                      .measured = absl::StrCat(kRecords, record, kRun),
                      .against = absl::StrCat(kBareRecords, record, kRun),
                      .against_what = "the bare loops",
                      .more_counters = {"read_ns"}});
  }
  for (const int threads : kThreadCounts) {
    if (threads == 1) continue;
    for (const int batch : {1, 64}) {
      const auto full = [&](int partitions, int count) {
        return absl::StrCat(ThreadsName(partitions, batch),
                            "/real_time/threads:", count);
      };
      const std::string what =
          absl::StrCat(threads, " threads, batches of ", batch);
      ratios.push_back({absl::StrCat(what, ", one partition"), full(1, threads),
                        full(1, 1), "one thread"});
      ratios.push_back({absl::StrCat(what, ", as many partitions"),
                        full(threads, threads), full(1, 1), "one thread"});
    }
  }
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(
      argc, argv, varve::bench::RegisterAll, varve::bench::Ratios(),
      {.repetitions = 3, .options = {"partitions_max", "log_mib_max"}});
}
