// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_COMPACTION_COMPACTION_RUN_H_
#define VARVE_TESTS_LOG_COMPACTION_COMPACTION_RUN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/log/compaction/batch_log.h"
#include "tests/log/compaction/zeroed_offset_map.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compaction/batch_cleaner.h"
#include "varve/log/compaction/compaction_stats.h"
#include "varve/log/compaction/dirty_keys.h"
#include "varve/log/compaction/last_batches.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {

// Keeps what stays of a log.
class KeptBatches final : public CleanedBatchSink {
 public:
  absl::Status Append(
      const RecordBatch& batch,
      const std::optional<AbortedTransaction>& index_entry) override {
    batches.emplace_back(batch.bytes());
    if (index_entry.has_value()) aborted.push_back(*index_entry);
    return status;
  }

  std::vector<std::string> batches;
  std::vector<AbortedTransaction> aborted;
  absl::Status status;
};

// One compaction of a BatchLog.
struct CompactionRun {
  int64_t first_dirty = 0;
  // The first offset that is not cleaned. Default: the end of the log.
  std::optional<int64_t> end = std::nullopt;
  int64_t now_ms = 10'000;
  int64_t delete_retention_ms = 500;
  int64_t map_bytes = int64_t{1} << 16;
  int64_t noted_max = 1 << 16;
  std::vector<ProducerEntry> producers = {};

  CompactionStats stats = {};
  int64_t mapped_end = 0;  // the next checkpoint

  // Replaces the batches and the index entries of the log by what stays of
  // them. Those that begin at `end` or later stay as they are; those between
  // the record that had no room in the map and the end are cleaned, too, as if
  // they were of the same segment.
  absl::Status Compact(BatchLog& log) {
    const int64_t range_end = end.value_or(log.end());
    std::string cleaned;
    std::vector<std::string> rest;
    for (const std::string& batch : log.batches) {
      if (RecordBatch(batch).base_offset() < range_end) {
        cleaned += batch;
      } else {
        rest.push_back(batch);
      }
    }
    ZeroedOffsetMap map(
        {.memory_bytes = map_bytes, .noted_max = noted_max, .secret = {5, 6}});
    DirtyKeys keys({first_dirty, range_end}, log.codecs(), *map);
    keys.AddAborted(log.aborted);
    const auto progress = keys.Add(cleaned);
    if (!progress.ok()) return progress.status();
    mapped_end = keys.Finish();
    const LastBatches last_batches(producers);
    BatchCleaner cleaner({.range_end = range_end,
                          .mapped_end = mapped_end,
                          .now_ms = now_ms,
                          .delete_retention_ms = delete_retention_ms,
                          .codecs = log.codecs()},
                         *map, last_batches);
    cleaner.AddAborted(log.aborted);
    KeptBatches kept;
    const absl::Status status = cleaner.Clean(cleaned, kept);
    stats = {.map = keys.stats(),
             .cleaning = cleaner.stats(),
             .map_keys = map->size(),
             .map_capacity = map->capacity()};
    if (!status.ok()) return status;
    for (const AbortedTransaction& transaction : log.aborted) {
      if (transaction.last_offset >= range_end) {
        kept.aborted.push_back(transaction);
      }
    }
    log.batches = kept.batches;
    log.batches.insert(log.batches.end(), rest.begin(), rest.end());
    log.aborted = kept.aborted;
    return absl::OkStatus();
  }
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_COMPACTION_COMPACTION_RUN_H_
