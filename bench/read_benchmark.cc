// SPDX-License-Identifier: Apache-2.0

// What does a read cost, in order, at random, by time, and at the tail?

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bench/bare/bare_batch.h"
#include "bench/bare/bare_scan.h"
#include "bench/bare/ceiling_loop.h"
#include "bench/benchmark_run.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve::bench {
namespace {

constexpr int64_t kRecordBytes = 100;
constexpr int64_t kFirstTimestampMs = 1700000000000;

int64_t RecordCount() { return Scaled(400'000, 1000); }

// A log of RecordCount() records, one ms apart, in batches.
class FilledStore {
 public:
  explicit FilledStore(int batch) {
    const std::string value(kRecordBytes, 'v');
    RecordBatchBuilder builder;
    for (int64_t i = 0; i < RecordCount(); i += batch) {
      builder.Clear();
      for (int k = 0; k < batch; ++k) {
        CHECK_OK(builder.Append({.value = value}, kFirstTimestampMs + i + k));
      }
      CHECK_OK(store_.partition()
                   .Append(builder.Finish(), Durability::kMemory)
                   .status());
    }
  }

  const Partition& partition() { return store_.partition(); }

 private:
  ScratchStore store_;
};

// Reads every record from `offset` to the visible end, and returns how many.
int64_t Scan(const Partition& partition, int64_t offset, CrcCheck crc) {
  int64_t count = 0;
  const int64_t end = partition.visible_end();
  while (offset < end) {
    absl::StatusOr<RecordBatches> view = partition.Read(offset, {.crc = crc});
    CHECK_OK(view.status());
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      benchmark::DoNotOptimize(record->value().value_or("").size());
      ++count;
    }
    CHECK_OK(records.status());
    offset = view->next_offset();
  }
  return count;
}

void CountRecords(benchmark::State& state, int64_t records) {
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(records * kRecordBytes);
}

// How fast is a replay from the front? Every record is decoded; their bytes are
// in the page cache.
void RunScan(benchmark::State& state, int batch, CrcCheck crc) {
  FilledStore filled(batch);
  int64_t records = 0;
  for (auto _ : state) records += Scan(filled.partition(), 0, crc);
  CountRecords(state, records);
}

// How fast could it be? The bare loop over the same batches.
void RunBareScan(benchmark::State& state, int batch, CrcCheck crc) {
  CeilingLoop loop(RecordCount() * (kRecordBytes + 100),
                   CeilingLoop::Pages::kPopulated);
  const std::string value(kRecordBytes, 'v');
  for (int64_t i = 0; i < RecordCount(); i += batch) loop.Append(value, batch);
  int64_t records = 0;
  for (auto _ : state) {
    const BareScanResult result = BareScan(loop.visible_bytes(), crc);
    benchmark::DoNotOptimize(result.value_bytes);
    records += result.record_count;
  }
  CountRecords(state, records);
}

// What does one record anywhere in the log cost?
void RunReadAt(benchmark::State& state, int batch) {
  FilledStore filled(batch);
  std::minstd_rand random(1);
  for (auto _ : state) {
    const auto offset = static_cast<int64_t>(random()) % RecordCount();
    absl::StatusOr<RecordBatches> view =
        filled.partition().Read(offset, {.max_bytes = 0});
    CHECK_OK(view.status());
    RecordBatches::Records records = view->records();
    const RecordView* record = records.Next();
    CHECK(record != nullptr && record->offset() == offset);
    benchmark::DoNotOptimize(record->value().value_or("").data());
  }
  CountRecords(state, state.iterations());
}

// What does the next batch cost a reader that takes one at a time?
void RunReadOn(benchmark::State& state, int batch) {
  FilledStore filled(batch);
  const int64_t end = filled.partition().visible_end();
  int64_t offset = 0;
  int64_t records = 0;
  for (auto _ : state) {
    absl::StatusOr<RecordBatches> view =
        filled.partition().Read(offset, {.max_bytes = 0});
    CHECK_OK(view.status());
    benchmark::DoNotOptimize(view->bytes().data());
    CHECK_EQ(view->next_offset(), offset + batch);
    records += batch;
    offset = view->next_offset() == end ? 0 : view->next_offset();
  }
  CountRecords(state, records);
}

// And with every record's position in memory, what would it cost?
void RunBareReadAt(benchmark::State& state) {
  CeilingLoop loop(RecordCount() * (kRecordBytes + 100),
                   CeilingLoop::Pages::kPopulated);
  const std::string value(kRecordBytes, 'v');
  std::vector<size_t> ends = {0};
  for (int64_t i = 0; i < RecordCount(); ++i) {
    loop.Append(value, 1);
    ends.push_back(loop.visible_bytes().size());
  }
  std::minstd_rand random(1);
  for (auto _ : state) {
    const size_t i = random() % static_cast<size_t>(RecordCount());
    const BareScanResult result =
        BareScan(loop.visible_bytes().substr(ends[i], ends[i + 1] - ends[i]),
                 CrcCheck::kVerify);
    benchmark::DoNotOptimize(result.value_bytes);
  }
  CountRecords(state, state.iterations());
}

// What does it cost to find where a time begins?
void RunOffsetForTime(benchmark::State& state, int batch) {
  FilledStore filled(batch);
  std::minstd_rand random(1);
  for (auto _ : state) {
    const auto offset = static_cast<int64_t>(random()) % RecordCount();
    absl::StatusOr<int64_t> found = filled.partition().OffsetForTime(
        absl::FromUnixMillis(kFirstTimestampMs + offset));
    CHECK_OK(found.status());
    CHECK_EQ(*found, offset);
  }
  state.SetItemsProcessed(state.iterations());
}

// Does a reader at the tail keep up with an appender that never pauses, and how
// many records a second does it see?
void RunReadTail(benchmark::State& state, int batch) {
  ScratchStore store;
  // Memory ordering: relaxed; the appender may stop a little later.
  std::atomic<bool> stopped = false;
  std::thread appender([&] {
    const std::string value(kRecordBytes, 'v');
    RecordBatchBuilder builder;
    for (int i = 0; i < batch; ++i) {
      CHECK_OK(builder.Append({.value = value}, kFirstTimestampMs));
    }
    while (!stopped.load(std::memory_order_relaxed)) {
      CHECK_OK(store.partition()
                   .Append(builder.Finish(), Durability::kMemory)
                   .status());
    }
  });
  int64_t records = 0;
  for (auto _ : state) {
    CHECK_OK(store.partition().WaitFor(records));
    records += Scan(store.partition(), records, CrcCheck::kVerify);
  }
  stopped.store(true, std::memory_order_relaxed);
  appender.join();
  CountRecords(state, records);
}

benchmark::internal::Benchmark* Add(const std::string& name,
                                    void (*body)(benchmark::State&, int),
                                    int batch) {
  return benchmark::RegisterBenchmark(
      absl::StrCat(name, "/record:100/batch:", batch).c_str(),
      [=](benchmark::State& state) { body(state, batch); });
}

void RegisterAll() {
  for (const int batch : {1, 64}) {
    Add(
        "Scan/crc:verified",
        [](benchmark::State& state, int size) {
          RunScan(state, size, CrcCheck::kVerify);
        },
        batch);
    Add(
        "Scan/crc:skipped",
        [](benchmark::State& state, int size) {
          RunScan(state, size, CrcCheck::kSkip);
        },
        batch);
    Add(
        "Bare/scan/crc:verified",
        [](benchmark::State& state, int size) {
          RunBareScan(state, size, CrcCheck::kVerify);
        },
        batch);
    Add(
        "Bare/scan/crc:skipped",
        [](benchmark::State& state, int size) {
          RunBareScan(state, size, CrcCheck::kSkip);
        },
        batch);
    Add("Read/order:random", RunReadAt, batch);
    Add("Read/order:next", RunReadOn, batch);
    Add("OffsetForTime/order:random", RunOffsetForTime, batch);
    Add("ReadTail/durability:memory", RunReadTail, batch)->UseRealTime();
  }
  Add(
      "Bare/read/order:random",
      [](benchmark::State& state, int) { RunBareReadAt(state); }, 1);
}

std::vector<Ratio> Ratios() {
  std::vector<Ratio> ratios;
  for (const std::string load :
       {"/record:100/batch:1", "/record:100/batch:64"}) {
    for (const std::string crc : {"verified", "skipped"}) {
      ratios.push_back({.what = absl::StrCat("Scan/crc:", crc, load),
                        .measured = absl::StrCat("Scan/crc:", crc, load),
                        .against = absl::StrCat("Bare/scan/crc:", crc, load)});
    }
  }
  const std::string one = "/record:100/batch:1";
  ratios.push_back({"one record anywhere",
                    absl::StrCat("Read/order:random", one),
                    absl::StrCat("Bare/read/order:random", one),
                    "a table of every record's position"});
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios());
}
