// SPDX-License-Identifier: Apache-2.0

#include "bench/partition_reads.h"

#include <cstdint>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"

namespace varve::bench {

int64_t ScanRecords(const Partition& partition, int64_t offset, CrcCheck crc) {
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

void ReadRecord(const Partition& partition, int64_t offset) {
  absl::StatusOr<RecordBatches> view = partition.Read(offset, {.max_bytes = 0});
  CHECK_OK(view.status());
  RecordBatches::Records records = view->records();
  const RecordView* record = records.Next();
  CHECK(record != nullptr && record->offset() == offset);
  benchmark::DoNotOptimize(record->value().value_or("").data());
}

}  // namespace varve::bench
