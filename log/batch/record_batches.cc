// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_batches.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/decompressed_records.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

// What `pin_` keeps when something is left out.
struct LeftOut {
  std::shared_ptr<const void> pin;
  std::vector<int64_t> base_offsets;
};

bool IsLeftOut(const std::vector<int64_t>* left_out, const RecordBatch& batch) {
  return left_out != nullptr &&
         std::binary_search(left_out->begin(), left_out->end(),
                            batch.base_offset());
}

}  // namespace

void RecordBatches::LeaveOut(std::vector<int64_t> base_offsets) {
  if (base_offsets.empty()) return;
  DCHECK(std::is_sorted(base_offsets.begin(), base_offsets.end()));
  auto left_out = std::make_shared<LeftOut>(
      LeftOut{.pin = std::move(pin_), .base_offsets = std::move(base_offsets)});
  left_out_ = &left_out->base_offsets;
  pin_ = std::move(left_out);
}

// The batches were checked when they were read. They are measured again,
// because another process may have overwritten the file since, and that must
// end the walk, not the program.
void RecordBatches::Iterator::Measure() {
  if (rest_.empty()) return;
  int64_t size = 0;
  const BatchDefect defect = RecordBatch::Check(
      rest_, CrcCheck::kSkip, static_cast<int64_t>(rest_.size()), &size);
  if (defect != BatchDefect::kNone) {
    ended_early_ = true;
    rest_ = {};
  }
  size_ = static_cast<size_t>(size);
}

RecordBatches::Iterator& RecordBatches::Iterator::operator++() {
  DCHECK_LE(size_, rest_.size());
  rest_.remove_prefix(size_);
  Measure();
  return *this;
}

RecordBatches::Iterator RecordBatches::Iterator::operator++(int) {
  Iterator before = *this;
  ++*this;
  return before;
}

RecordBatches::Records::Records(const RecordBatches& batches)
    : batch_(batches.begin()),
      decompressed_(batches.decompressed_),
      left_out_(batches.left_out_),
      first_offset_(batches.first_offset_),
      end_offset_(batches.next_offset_),
      next_offset_(batches.first_offset_) {}

// Called after the last batch, or where the next one should have been.
void RecordBatches::Records::End() {
  if (!batch_.ended_early()) {
    next_offset_ = end_offset_;
  } else {
    SetChanged();
  }
}

void RecordBatches::Records::SetChanged() {
  status_ = absl::DataLossError(
      absl::StrCat("the batch at offset ", next_offset_,
                   " has changed since it was read: its file was overwritten"));
}

// Leaves no cursor when the batch cannot be decoded.
void RecordBatches::Records::OpenCompressed(const RecordBatch& batch) {
  if (decompressed_ == nullptr || batch.record_count() == 0) {
    cursor_.emplace(batch);
    return;
  }
  const auto records = decompressed_->Find(batch);
  if (!records.has_value()) {
    SetChanged();
  } else if (records->ok()) {
    cursor_.emplace(batch, **records);
  } else {
    status_ = records->status();
    next_offset_ = batch_end_;
  }
}

const RecordView* RecordBatches::Records::Next() {
  while (status_.ok()) {
    if (!cursor_.has_value()) {
      if (batch_ == Iterator()) {
        End();
        return nullptr;
      }
      const RecordBatch batch = *batch_++;
      batch_end_ = batch.next_offset();
      if (batch.is_control() || IsLeftOut(left_out_, batch)) continue;
      if (batch.compression() != Compression::kNone) {
        OpenCompressed(batch);
        continue;
      }
      cursor_.emplace(batch, batch.records());
    }
    while (const RecordView* record = cursor_->Next()) {
      if (record->offset() < first_offset_) continue;
      next_offset_ = record->offset() + 1;
      return record;
    }
    status_ = cursor_->status();
    next_offset_ = batch_end_;
    cursor_.reset();
  }
  return nullptr;
}

}  // namespace varve
