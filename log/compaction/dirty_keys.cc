// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/dirty_keys.h"

#include <cstdint>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/compaction/cleaned_transactions.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/compaction/whole_batches.h"

namespace varve {

DirtyKeys::DirtyKeys(const OffsetRange& dirty, const Codecs* codecs,
                     OffsetMap& map)
    : dirty_(dirty), codecs_(codecs), map_(map), rest_{0, dirty.to} {
  DCHECK_LE(dirty.from, dirty.to);
  map_.NoteFrom(dirty.from);
}

absl::StatusOr<DirtyKeys::Progress> DirtyKeys::Add(std::string_view batches) {
  const absl::Status status =
      ForEachBatch(batches, rest_, [this](const RecordBatch& batch) {
        return full_at_ >= 0 ? absl::OkStatus() : AddBatch(batch);
      });
  if (!status.ok()) return status;
  while (waiting_count_ > 0) PutOldest();
  return full_at_ >= 0 ? Progress::kFull : Progress::kMore;
}

absl::Status DirtyKeys::AddBatch(const RecordBatch& batch) {
  stats_.bytes_read += batch.size();
  ++stats_.batches_read;
  switch (transactions_.Next(batch).kind) {
    case CleanedTransaction::Kind::kData:
      return batch.last_offset() < dirty_.from ? absl::OkStatus()
                                               : AddRecords(batch);
    case CleanedTransaction::Kind::kAborted:
      ++stats_.batches_aborted;
      return absl::OkStatus();
    case CleanedTransaction::Kind::kMarker:
    case CleanedTransaction::Kind::kSpentMarker:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status DirtyKeys::AddRecords(const RecordBatch& batch) {
  const absl::StatusOr<std::string_view> records =
      PlainRecords(batch, codecs_, scratch_);
  if (!records.ok()) return records.status();
  RecordCursor cursor(batch, *records);
  while (const RecordView* const record = cursor.Next()) {
    if (record->offset() < dirty_.from) continue;
    if (!record->key().has_value()) {
      ++stats_.records_without_key;
      continue;
    }
    PutLater(*record->key(), record->offset());
    if (full_at_ >= 0) return absl::OkStatus();
  }
  return cursor.status();
}

void DirtyKeys::PutLater(std::string_view key, int64_t offset) {
  if (waiting_count_ == kWaitingMax) PutOldest();
  if (full_at_ >= 0) return;
  waiting_[(waiting_begin_ + waiting_count_) % kWaitingMax] = {
      map_.Prepare(key), offset};
  ++waiting_count_;
}

void DirtyKeys::PutOldest() {
  const Waiting& oldest = waiting_[waiting_begin_];
  if (map_.Put(oldest.hash, oldest.offset) == OffsetMap::PutResult::kFull) {
    full_at_ = oldest.offset;
    waiting_count_ = 0;  // what comes after it is not mapped
    return;
  }
  ++stats_.records_mapped;
  waiting_begin_ = (waiting_begin_ + 1) % kWaitingMax;
  --waiting_count_;
}

int64_t DirtyKeys::Finish() { return full_at_ >= 0 ? full_at_ : dirty_.to; }

}  // namespace varve
