// SPDX-License-Identifier: Apache-2.0

// cost_driver DIRECTORY: does each operation many times, on stores that it
// makes below the directory. Prints a line of JSON that says what it was built
// with, then one for each operation with what was counted. README.md says what
// for; measurement.py runs it, also under callgrind.

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/cost/append_operations.h"
#include "tests/cost/build_facts.h"
#include "tests/cost/counted_store.h"
#include "tests/cost/counting_clock.h"
#include "tests/cost/crc_bytes.h"
#include "tests/cost/operation.h"
#include "tests/cost/read_operations.h"
#include "tests/fixture/allocations.h"
#include "varve/log/metadata/durability.h"

namespace varve::cost {

// How often an operation is done, after as many times that do not count. All
// are multiples of 64: one call in so many is timed
// (LogMeters::kSampledEvery).
constexpr int64_t kLogRecords = 12'800;  // of a log that is read
constexpr int64_t kScanRounds = kLogRecords / kBatchRecords;
constexpr int64_t kAppendRounds = 6'400;
constexpr int64_t kBatchRounds = 128;
constexpr int64_t kPointRounds = 640;

// An operation's name, and what one of it is.
struct Name {
  std::string_view operation;
  std::string_view per;
};

struct Counts {
  int64_t operations = 0;
  int64_t allocations = 0;
  int64_t clock_readings = 0;
  int64_t crc_bytes = 0;
  int64_t batch_bytes = 0;  // that a CRC covers
};

// Callgrind knows the next two functions by their names: it forgets what it has
// counted when the first is entered, and writes it down when the second is.
[[gnu::noinline]] void BeginCounting() { __asm__ volatile(""); }

[[gnu::noinline]] void ReportCounts(const Name& name, const Counts& counts) {
  std::cout << absl::StrCat(
      R"({"operation": ")", name.operation, R"(", "per": ")", name.per,
      R"(", "operations": )", counts.operations, R"(, "allocations": )",
      counts.allocations, R"(, "clock_readings": )", counts.clock_readings,
      R"(, "crc_bytes": )", counts.crc_bytes, R"(, "batch_bytes": )",
      counts.batch_bytes, "}\n");
}

void ReportBuild() {
  const auto format = [](std::string* out, const auto& fact) {
    absl::StrAppend(out, "\"", fact.first, "\": \"", fact.second, "\"");
  };
  std::cout << "{" << absl::StrJoin(BuildFacts(), ", ", format) << "}\n";
}

// Makes stores, one after the other, and counts what operations on them take.
class CostDriver {
 public:
  explicit CostDriver(std::string directory)
      : directory_(std::move(directory)) {}

  void Count(const Name& name, Operation& operation, int64_t rounds) {
    Repeat(operation, rounds);
    BeginCounting();
    ReportCounts(name, Repeat(operation, rounds));
  }

  // Counts an Op that appends, and is made of the store and `args`.
  template <typename Op, typename... Args>
  void CountAppends(const Name& name, int64_t rounds, Args... args) {
    CountedStore store(PathOf(name), &clock_);
    store.MakeRoom();
    Op operation(store, args...);
    Count(name, operation, rounds);
  }

  // Counts an Op that reads a log whose batches have as many records.
  template <typename Op, typename... Args>
  void CountReads(const Name& name, int64_t rounds, int batch_records,
                  Args... args) {
    CountedStore store(PathOf(name), &clock_);
    store.Fill(kLogRecords, batch_records);
    Op operation(store, batch_records, args...);
    Count(name, operation, rounds);
  }

 private:
  std::string PathOf(const Name& name) const {
    return absl::StrCat(directory_, "/", name.operation);
  }

  Counts Repeat(Operation& operation, int64_t rounds) {
    Counts counts;
    for (int64_t i = 0; i < rounds; ++i) {
      operation.Prepare();
      counts.allocations -= Allocations::made;
      counts.clock_readings -= clock_.readings();
      counts.crc_bytes -= CrcBytes::computed;
      const Operation::Done done = operation.Counted();
      counts.allocations += Allocations::made;
      counts.clock_readings += clock_.readings();
      counts.crc_bytes += CrcBytes::computed;
      counts.operations += done.count;
      counts.batch_bytes += done.batch_bytes;
    }
    return counts;
  }

  const std::string directory_;
  CountingClock clock_;
};

void CountAll(const std::string& directory) {
  CostDriver driver(directory);
  driver.CountAppends<AppendRecord>({"append_record", "record"}, kAppendRounds,
                                    Durability::kMemory);
  driver.CountAppends<AppendRecord>({"append_record_synced", "record"},
                                    kBatchRounds, Durability::kSynced);
  EncodeBatch encode;
  driver.Count({"encode_batch", "batch of 64"}, encode, kBatchRounds);
  driver.CountAppends<AppendBatch>({"append_batch", "batch of 64"},
                                   kBatchRounds);
  driver.CountAppends<HandOver>({"hand_over", "record"}, kAppendRounds);

  driver.CountReads<Scan>({"scan", "record"}, kScanRounds, 1);
  driver.CountReads<Scan>({"scan_batches", "record"}, kScanRounds,
                          kBatchRecords);
  driver.CountReads<PointRead>({"read_by_offset", "read"}, kPointRounds, 1,
                               Known::kOffset);
  driver.CountReads<PointRead>({"read_by_offset_batches", "read"}, kPointRounds,
                               kBatchRecords, Known::kOffset);
  driver.CountReads<PointRead>({"read_by_time", "read"}, kPointRounds, 1,
                               Known::kTime);
  driver.CountReads<PointRead>({"read_by_time_batches", "read"}, kPointRounds,
                               kBatchRecords, Known::kTime);
}

}  // namespace varve::cost

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: cost_driver DIRECTORY\n";
    return 2;
  }
  varve::cost::ReportBuild();
  varve::cost::CountAll(argv[1]);
  return 0;
}
