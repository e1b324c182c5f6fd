// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/batch_cleaner.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/compaction/cleaned_transactions.h"
#include "varve/log/compaction/last_batches.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/compaction/record_retention.h"
#include "varve/log/compaction/whole_batches.h"

namespace varve {
namespace {

using TransactionKind = CleanedTransaction::Kind;

// delete.retention.ms may be for ever.
int64_t HorizonFrom(int64_t now_ms, int64_t delete_retention_ms) {
  CHECK_GE(now_ms, 0);
  CHECK_GE(delete_retention_ms, 0);
  return now_ms > kTimestampMax - delete_retention_ms
             ? kTimestampMax
             : now_ms + delete_retention_ms;
}

}  // namespace

BatchCleaner::BatchCleaner(const Options& options, const OffsetMap& keys,
                           const LastBatches& last_batches)
    : options_(options),
      new_horizon_ms_(HorizonFrom(options.now_ms, options.delete_retention_ms)),
      last_batches_(last_batches),
      retention_(keys, options.mapped_end, options.now_ms),
      rest_{0, options.range_end},
      rewriter_(options.codecs) {
  DCHECK_LE(options.mapped_end, options.range_end);
}

absl::Status BatchCleaner::Clean(std::string_view batches,
                                 CleanedBatchSink& sink) {
  return ForEachBatch(batches, rest_, [&](const RecordBatch& batch) {
    stats_.bytes_read += batch.size();
    ++stats_.batches_read;
    return CleanBatch(batch, sink);
  });
}

absl::Status BatchCleaner::CleanBatch(const RecordBatch& batch,
                                      CleanedBatchSink& sink) {
  const CleanedTransaction transaction = transactions_.Next(batch);
  switch (transaction.kind) {
    case TransactionKind::kData:
      return CleanData(batch, sink);
    case TransactionKind::kAborted:
      stats_.records_aborted += batch.record_count();
      return RemoveRecords(batch, sink);
    case TransactionKind::kMarker:
    case TransactionKind::kSpentMarker:
      return CleanMarker(batch, transaction, sink);
  }
  return absl::OkStatus();
}

absl::Status BatchCleaner::CleanMarker(const RecordBatch& batch,
                                       const CleanedTransaction& transaction,
                                       CleanedBatchSink& sink) {
  if (transaction.kind == TransactionKind::kMarker) {
    return Copy(batch, sink, transaction.index_entry);
  }
  if (batch.record_count() == 0) return RemoveRecords(batch, sink);
  if (!batch.has_delete_horizon()) return SetMarkerHorizon(batch, sink);
  if (!retention_.IsPastHorizon(batch)) return Copy(batch, sink);
  ++stats_.markers_dropped;
  return RemoveRecords(batch, sink);
}

absl::Status BatchCleaner::SetMarkerHorizon(const RecordBatch& batch,
                                            CleanedBatchSink& sink) {
  const absl::StatusOr<std::string_view> records =
      PlainRecords(batch, options_.codecs, scratch_);
  if (!records.ok()) return records.status();
  kept_.clear();
  RecordCursor cursor(batch, *records);
  std::string_view left = *records;
  while (const RecordView* const record = cursor.Next()) {
    const auto size = static_cast<size_t>(record->size_bytes());
    kept_.push_back({left.substr(0, size), record->timestamp_ms()});
    left.remove_prefix(size);
  }
  if (!cursor.status().ok()) return cursor.status();
  return Rewrite(batch, new_horizon_ms_, sink);
}

absl::Status BatchCleaner::CleanData(const RecordBatch& batch,
                                     CleanedBatchSink& sink) {
  // Nothing in it can go.
  if (batch.base_offset() >= options_.mapped_end && batch.record_count() > 0) {
    stats_.records_kept += batch.record_count();
    return Copy(batch, sink);
  }
  const absl::StatusOr<Filtered> filtered = Filter(batch);
  if (!filtered.ok()) return filtered.status();
  if (kept_.empty()) return RemoveRecords(batch, sink);
  if (filtered->has_tombstone && !batch.has_delete_horizon() &&
      batch.last_offset() < options_.mapped_end) {
    return Rewrite(batch, new_horizon_ms_, sink);
  }
  return filtered->all_stay ? Copy(batch, sink)
                            : Rewrite(batch, std::nullopt, sink);
}

absl::StatusOr<BatchCleaner::Filtered> BatchCleaner::Filter(
    const RecordBatch& batch) {
  const absl::StatusOr<std::string_view> records =
      PlainRecords(batch, options_.codecs, scratch_);
  if (!records.ok()) return records.status();
  Filtered filtered;
  kept_.clear();
  RecordCursor cursor(batch, *records);
  std::string_view left = *records;
  while (const RecordView* const record = cursor.Next()) {
    const auto size = static_cast<size_t>(record->size_bytes());
    const RecordFate fate = retention_.FateOf(batch, *record);
    CountFate(fate);
    if (fate == RecordFate::kKept || fate == RecordFate::kKeptTombstone) {
      kept_.push_back({left.substr(0, size), record->timestamp_ms()});
      filtered.has_tombstone |= fate == RecordFate::kKeptTombstone;
    } else {
      filtered.all_stay = false;
    }
    left.remove_prefix(size);
  }
  if (!cursor.status().ok()) return cursor.status();
  return filtered;
}

void BatchCleaner::CountFate(RecordFate fate) {
  switch (fate) {
    case RecordFate::kKept:
    case RecordFate::kKeptTombstone:
      ++stats_.records_kept;
      return;
    case RecordFate::kSuperseded:
      ++stats_.records_superseded;
      return;
    case RecordFate::kExpired:
      ++stats_.tombstones_expired;
      return;
    case RecordFate::kWithoutKey:
      ++stats_.records_without_key;
      return;
  }
}

absl::Status BatchCleaner::RemoveRecords(const RecordBatch& batch,
                                         CleanedBatchSink& sink) {
  if (!last_batches_.Contains(batch) &&
      batch.next_offset() != options_.range_end) {
    ++stats_.batches_dropped;
    return absl::OkStatus();
  }
  ++stats_.batches_emptied;
  return HandOver(rewriter_.Empty(batch), sink, std::nullopt);
}

absl::Status BatchCleaner::Copy(
    const RecordBatch& batch, CleanedBatchSink& sink,
    const std::optional<AbortedTransaction>& index_entry) {
  ++stats_.batches_copied;
  return HandOver(batch, sink, index_entry);
}

absl::Status BatchCleaner::Rewrite(const RecordBatch& batch,
                                   std::optional<int64_t> new_horizon_ms,
                                   CleanedBatchSink& sink) {
  const absl::StatusOr<RecordBatch> rewritten =
      rewriter_.Rewrite(batch, kept_, new_horizon_ms);
  if (!rewritten.ok()) return rewritten.status();
  ++stats_.batches_rewritten;
  if (new_horizon_ms.has_value()) ++stats_.horizons_set;
  return HandOver(*rewritten, sink, std::nullopt);
}

absl::Status BatchCleaner::HandOver(
    const RecordBatch& batch, CleanedBatchSink& sink,
    const std::optional<AbortedTransaction>& entry) {
  stats_.bytes_written += batch.size();
  return sink.Append(batch, entry);
}

}  // namespace varve
