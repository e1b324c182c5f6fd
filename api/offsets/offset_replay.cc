// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/offset_replay.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

// Damaged offsets in a row that are passed over one by one, at most.
constexpr int64_t kDamagedOffsetsMax = 100'000;

std::optional<std::string> Owned(std::optional<std::string_view> bytes) {
  if (!bytes.has_value()) return std::nullopt;
  return std::string(*bytes);
}

}  // namespace

absl::Status OffsetReplay::Run(Range range, Read read) {
  next_offset_ = range.begin;
  while (next_offset_ < range.end) {
    absl::StatusOr<RecordBatches> view =
        read(next_offset_, {.level = ReadLevel::kVisible});
    if (absl::IsDataLoss(view.status())) {
      absl::StatusOr<int64_t> next = PassDamage(
          {.begin = next_offset_, .end = range.end}, read, view.status());
      if (!next.ok()) return next.status();
      next_offset_ = *next;
      continue;
    }
    if (!view.ok()) return view.status();
    if (view->empty()) break;
    for (const RecordBatch& batch : *view) ReadBatch(batch, next_offset_);
    bytes_read_ += view->size_bytes();
    next_offset_ = view->next_offset();
  }
  return absl::OkStatus();
}

// Returns the next offset after damage at the beginning of a range.
absl::StatusOr<int64_t> OffsetReplay::PassDamage(Range damaged, Read read,
                                                 const absl::Status& damage) {
  const int64_t limit =
      std::min(damaged.end, damaged.begin + kDamagedOffsetsMax);
  int64_t next = damaged.begin + 1;
  while (next < limit) {
    const absl::Status status =
        read(next, {.max_bytes = 0, .level = ReadLevel::kVisible}).status();
    if (status.ok()) break;
    if (!absl::IsDataLoss(status)) return status;
    ++next;
  }
  if (next == limit && limit < damaged.end) return damage;
  Tell(damaged.begin, absl::StrCat("commits up to offset ", next - 1,
                                   " are lost, and those before them count: ",
                                   damage.message()));
  return next;
}

void OffsetReplay::ReadBatch(const RecordBatch& batch, int64_t first_offset) {
  last_batch_ = {
      .offset = batch.base_offset(),
      .head = std::string(batch.bytes().substr(0, batch_layout::kAttributes))};
  RecordCursor records(batch);
  while (const RecordView* record = records.Next()) {
    if (record->offset() < first_offset) continue;
    if (batch.is_control()) {
      EndTransaction(batch.producer_id(), record->key());
    } else if (batch.is_transactional()) {
      pending_[batch.producer_id()].push_back(
          {.offset = record->offset(),
           .key = Owned(record->key()),
           .value = Owned(record->value())});
    } else {
      Apply(record->offset(), record->key(), record->value());
    }
  }
  if (!records.status().ok()) {
    Tell(batch.base_offset(), records.status().message());
  }
}

void OffsetReplay::EndTransaction(int64_t producer_id,
                                  std::optional<std::string_view> marker) {
  const absl::StatusOr<ControlRecordType> type = ParseControlRecordType(marker);
  // Other control records end no transaction.
  if (!type.ok() || (*type != ControlRecordType::kCommit &&
                     *type != ControlRecordType::kAbort)) {
    return;
  }
  const auto ended = pending_.find(producer_id);
  if (ended == pending_.end()) return;
  const std::vector<Pending> commits = std::move(ended->second);
  pending_.erase(ended);
  if (*type == ControlRecordType::kAbort) return;
  for (const Pending& commit : commits) {
    Apply(commit.offset, commit.key, commit.value);
  }
}

void OffsetReplay::Apply(int64_t offset, std::optional<std::string_view> key,
                         std::optional<std::string_view> value) {
  const absl::Status status =
      table_->Apply(key, value, OffsetTable::Checked::kNo);
  if (!status.ok()) Tell(offset, status.message());
}

void OffsetReplay::Tell(int64_t offset, std::string_view what) {
  note_(absl::StrCat(name_, ": offset ", offset, ": ", what));
}

}  // namespace varve
