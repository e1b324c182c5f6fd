// SPDX-License-Identifier: Apache-2.0

// What does a read cost, in order, at random, by time, and at the tail?
//
//   read_benchmark [--data_mib=256] …
//
// Random reads are of that much data, which stays in the page cache. The bare
// loop has to read what one mapping of 4 GiB holds.

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bench/bare/bare_index.h"
#include "bench/bare/bare_scan.h"
#include "bench/bare/ceiling_loop.h"
#include "bench/benchmark_run.h"
#include "bench/filled_store.h"
#include "bench/instruction_count.h"
#include "bench/partition_reads.h"
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
constexpr int64_t kFirstTimestampMs = FilledStore::kFirstTimestampMs;
// As often as a segment's index has an entry, by default.
constexpr int64_t kIndexIntervalBytes = 4096;

int64_t RecordCount() { return Scaled(400'000, 1000); }

// Of random reads: how much data there is, and how many reads are one
// iteration.
int64_t DataBytes() { return OptionOr("data_mib", 256, 1) << 20; }
int64_t ReadCount() { return Scaled(200'000, 100); }

void CountRecords(benchmark::State& state, int64_t records) {
  state.SetItemsProcessed(records);
  state.SetBytesProcessed(records * kRecordBytes);
}

// How fast is a replay from the front? Every record is decoded; their bytes are
// in the page cache.
void RunScan(benchmark::State& state, int batch, CrcCheck crc) {
  FilledStore filled({.batch = batch, .records = RecordCount()});
  int64_t records = 0;
  const InstructionCount instructions;
  for (auto _ : state) records += ScanRecords(filled.partition(), 0, crc);
  instructions.Report(state, records);
  CountRecords(state, records);
}

// How fast could it be? The bare loop over the same batches.
void RunBareScan(benchmark::State& state, int batch, CrcCheck crc) {
  CeilingLoop loop(RecordCount() * (kRecordBytes + 100),
                   CeilingLoop::Pages::kPopulated);
  const std::string value(kRecordBytes, 'v');
  for (int64_t i = 0; i < RecordCount(); i += batch) loop.Append(value, batch);
  int64_t records = 0;
  const InstructionCount instructions;
  for (auto _ : state) {
    const BareScanResult result = BareScan(loop.visible_bytes(), crc);
    benchmark::DoNotOptimize(result.value_bytes);
    records += result.record_count;
  }
  instructions.Report(state, records);
  CountRecords(state, records);
}

// One iteration reads at ReadCount() offsets, in an order nothing can foresee.
template <class Read>
void RunRandomReads(benchmark::State& state, int64_t record_count, Read read) {
  std::minstd_rand random(1);
  std::uniform_int_distribution<int64_t> anywhere(0, record_count - 1);
  const InstructionCount instructions;
  for (auto _ : state) {
    for (int64_t i = 0; i < ReadCount(); ++i) read(anywhere(random));
  }
  instructions.Report(state, ReadCount());
  CountRecords(state, ReadCount());
  state.counters["data_MiB"] = static_cast<double>(DataBytes() >> 20);
}

// What does one record anywhere in the log cost? Every page was read once
// before.
void RunReadAt(benchmark::State& state, int batch) {
  Filling filling = {.record = kRecordBytes, .batch = batch};
  filling.records = RecordsIn(DataBytes(), filling);
  FilledStore filled(filling);
  CHECK_EQ(ScanRecords(filled.partition(), 0, CrcCheck::kVerify),
           filled.record_count());
  RunRandomReads(state, filled.record_count(), [&](int64_t offset) {
    ReadRecord(filled.partition(), offset);
  });
}

// The same batches in one mapped file, whose pages are there.
class FilledLoop {
 public:
  explicit FilledLoop(int batch)
      : record_count_(
            RecordsIn(DataBytes(), {.record = kRecordBytes, .batch = batch})),
        loop_(DataBytes() + (1 << 20), CeilingLoop::Pages::kPopulated) {
    const std::string value(kRecordBytes, 'v');
    for (int64_t i = 0; i < record_count_; i += batch) {
      loop_.Append(value, batch);
    }
  }

  int64_t record_count() const { return record_count_; }
  std::string_view bytes() const { return loop_.visible_bytes(); }

 private:
  const int64_t record_count_;
  CeilingLoop loop_;
};

// How fast could it be, with an index like a segment's?
void RunBareIndexedRead(benchmark::State& state, int batch) {
  const FilledLoop filled(batch);
  const BareIndex index(filled.bytes(), kIndexIntervalBytes);
  RunRandomReads(state, filled.record_count(), [&](int64_t offset) {
    benchmark::DoNotOptimize(index.Read(offset).data());
  });
}

// And with every record's position in memory?
void RunBareTableRead(benchmark::State& state) {
  const FilledLoop filled(1);
  const size_t size =
      filled.bytes().size() / static_cast<size_t>(filled.record_count());
  RunRandomReads(state, filled.record_count(), [&](int64_t offset) {
    const BareScanResult result = BareScan(
        filled.bytes().substr(static_cast<size_t>(offset) * size, size),
        CrcCheck::kVerify);
    benchmark::DoNotOptimize(result.value_bytes);
  });
}

// What does the next batch cost a reader that takes one at a time?
void RunReadOn(benchmark::State& state, int batch) {
  FilledStore filled({.batch = batch, .records = RecordCount()});
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

// What does it cost to find where a time begins?
void RunOffsetForTime(benchmark::State& state, int batch) {
  FilledStore filled({.batch = batch, .records = RecordCount()});
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
    records += ScanRecords(store.partition(), records, CrcCheck::kVerify);
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
    Add("Read/order:random", RunReadAt, batch)->Iterations(1);
    Add("Bare/index/order:random", RunBareIndexedRead, batch)->Iterations(1);
    Add("Read/order:next", RunReadOn, batch);
    Add("OffsetForTime/order:random", RunOffsetForTime, batch);
    Add("ReadTail/durability:memory", RunReadTail, batch)->UseRealTime();
  }
  Add(
      "Bare/table/order:random",
      [](benchmark::State& state, int) { RunBareTableRead(state); }, 1)
      ->Iterations(1);
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
  for (const std::string load : {"/record:100/batch:1/iterations:1",
                                 "/record:100/batch:64/iterations:1"}) {
    ratios.push_back({absl::StrCat("one record anywhere", load),
                      absl::StrCat("Read/order:random", load),
                      absl::StrCat("Bare/index/order:random", load),
                      "a bare index, one CRC and one decoding"});
  }
  const std::string one = "/record:100/batch:1/iterations:1";
  ratios.push_back({"one record anywhere",
                    absl::StrCat("Read/order:random", one),
                    absl::StrCat("Bare/table/order:random", one),
                    "a table of every record's position"});
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios(),
                                     {.options = {"data_mib"}});
}
