// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/offset_rewrite.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

// Bytes after which a batch is appended, if the topic takes batches that large.
constexpr int64_t kBatchBytes = int64_t{256} << 10;

// Appends records in batches.
class BatchAppender {
 public:
  BatchAppender(PartitionLog* log, int64_t now_ms)
      : log_(log),
        now_ms_(now_ms),
        batch_bytes_(std::min(kBatchBytes, log->config().batch_size_max())) {}

  absl::Status Add(std::string_view key, std::string_view value) {
    // More bytes than a record takes beside its key and value.
    constexpr int64_t kOverhead = 32;
    const auto size = static_cast<int64_t>(key.size() + value.size());
    if (builder_.record_count() > 0 &&
        builder_.size_bytes() + size + kOverhead > batch_bytes_) {
      if (absl::Status status = Flush(); !status.ok()) return status;
    }
    return builder_.Append({.key = key, .value = value}, now_ms_);
  }

  absl::Status Flush() {
    if (builder_.record_count() == 0) return absl::OkStatus();
    bytes_ += builder_.size_bytes();
    absl::Status status =
        log_->Append(builder_.Finish(), Durability::kMemory).status();
    builder_.Clear();
    return status;
  }

  int64_t bytes() const { return bytes_; }

 private:
  PartitionLog* const log_;
  const int64_t now_ms_;
  const int64_t batch_bytes_;
  RecordBatchBuilder builder_;
  int64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<int64_t> RewriteOffsets(PartitionLog& log,
                                       const OffsetTable& table,
                                       int64_t now_ms) {
  // Only whole segments are deleted, so the new records begin one.
  if (absl::Status status = log.Roll(); !status.ok()) return status;
  const int64_t start = log.visible_end();
  BatchAppender appender(&log, now_ms);
  absl::Status status =
      table.ForEach([&](std::string_view key, std::string_view value) {
        return appender.Add(key, value);
      });
  if (status.ok()) status = appender.Flush();
  // The old records are deleted only when the new ones are durable.
  if (status.ok()) status = log.Sync();
  if (status.ok()) status = log.TrimBefore(start);
  if (!status.ok()) return status;
  return appender.bytes();
}

}  // namespace varve
