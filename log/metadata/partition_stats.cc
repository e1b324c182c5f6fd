// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/partition_stats.h"

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"

namespace varve {
namespace {

// The base timestamp of a batch is that of its first record, unless records
// have the time of the append, or compaction keeps something else there.
int64_t FirstTimestamp(const RecordBatch& batch) {
  const bool is_time = batch.timestamp_type() == TimestampType::kCreateTime &&
                       !batch.has_delete_horizon();
  return is_time ? batch.base_timestamp_ms() : batch.max_timestamp_ms();
}

std::optional<absl::Time> TimeOf(int64_t timestamp_ms) {
  if (timestamp_ms < 0) return std::nullopt;
  return absl::FromUnixMillis(timestamp_ms);
}

}  // namespace

double PartitionStats::dirty_ratio() const {
  const int64_t bytes = clean_bytes + dirty_bytes;
  return bytes == 0
             ? 0.0
             : static_cast<double>(dirty_bytes) / static_cast<double>(bytes);
}

void FillTimes(absl::FunctionRef<absl::StatusOr<RecordBatches>(int64_t)> read,
               PartitionStats& stats) {
  if (stats.log_start >= stats.visible_end) return;
  const absl::StatusOr<RecordBatches> first = read(stats.log_start);
  if (first.ok() && !first->empty())
    stats.oldest_time = TimeOf(FirstTimestamp(*first->begin()));
  const absl::StatusOr<RecordBatches> last = read(stats.visible_end - 1);
  if (!last.ok()) return;
  for (const RecordBatch batch : *last)
    stats.newest_time = TimeOf(batch.max_timestamp_ms());
}

}  // namespace varve
