// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_APPENDER_H_
#define VARVE_BENCH_APPENDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {

// What is appended, and to what.
struct Load {
  int64_t record = 100;  // bytes of each value
  int batch = 1;         // records
  Durability durability = Durability::kMemory;
  int partitions = 1;
  int64_t segment_bytes = int64_t{1} << 30;
  bool with_key_and_headers = false;
};

// "memory", "interval", "synced".
std::string_view DurabilityName(Durability durability);

// "<what>/record:100/batch:1/durability:memory".
std::string LoadName(std::string_view what, const Load& load);

// Says how many records and bytes the iterations appended.
void CountRecords(benchmark::State& state, const Load& load);

// One thread's appends: one record at a time, or batches that it encodes
// itself, outside every lock.
//
// Thread safety: externally synchronized.
class Appender {
 public:
  Appender(const Load& load, Partition partition);

  // Appends `load.batch` records. A failure ends the program.
  void Append();

 private:
  const Load load_;
  Partition partition_;
  const std::string value_;
  std::optional<std::string_view> key_;
  absl::Span<const Header> headers_;
  RecordBatchBuilder builder_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_APPENDER_H_
