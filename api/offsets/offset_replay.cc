// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/offset_replay.h"

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
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/next_readable_offset.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

std::optional<std::string> Owned(std::optional<std::string_view> bytes) {
  if (!bytes.has_value()) return std::nullopt;
  return std::string(*bytes);
}

}  // namespace

absl::Status OffsetReplay::Run(Range range, Read read) {
  next_offset_ = range.begin;
  while (next_offset_ < range.end) {
    absl::StatusOr<RecordBatches> view = read(
        next_offset_,
        {.level = ReadLevel::kVisible, .decompression = Decompression::kLeave});
    if (absl::IsDataLoss(view.status())) {
      absl::Status passed = PassDamage(view.status());
      if (!passed.ok()) return passed;
      continue;
    }
    if (!view.ok()) return view.status();
    if (view->empty()) break;
    for (const RecordBatch& batch : *view) ReadBatch(batch, next_offset_);
    next_offset_ = view->next_offset();
  }
  return absl::OkStatus();
}

// Goes on after damage at `next_offset_`.
absl::Status OffsetReplay::PassDamage(const absl::Status& damage) {
  const std::optional<int64_t> next = NextReadableOffset(damage);
  if (!next.has_value() || *next <= next_offset_) return damage;
  Tell(next_offset_, absl::StrCat("commits up to offset ", *next - 1,
                                  " are lost, and those before them count: ",
                                  damage.message()));
  next_offset_ = *next;
  return absl::OkStatus();
}

void OffsetReplay::ReadBatch(const RecordBatch& batch, int64_t first_offset) {
  last_batch_ = {
      .offset = batch.base_offset(),
      .head = std::string(batch.bytes().substr(0, batch_layout::kAttributes))};
  const absl::StatusOr<std::string_view> plain =
      PlainRecords(batch, codecs_, decompressed_);
  if (!plain.ok()) {
    Tell(batch.base_offset(), plain.status().message());
    return;
  }
  RecordCursor records(batch, *plain);
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
