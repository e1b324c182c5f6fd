// SPDX-License-Identifier: Apache-2.0

#include "log/record_batches.h"

#include <cstdint>

#include "log/record_batch.h"
#include "log/record_cursor.h"
#include "log/record_view.h"

namespace varve {

// The batches were checked when they were read. They are measured again, not
// trusted: another process may have scribbled over the file since, and that
// must end the walk, not the program.
void RecordBatches::Iterator::Measure() {
  int64_t size = 0;
  const BatchDefect defect = RecordBatch::Check(
      rest_, CrcCheck::kSkip, static_cast<int64_t>(rest_.size()), &size);
  if (defect != BatchDefect::kNone) rest_ = {};
  size_ = static_cast<size_t>(size);
}

RecordBatches::Iterator& RecordBatches::Iterator::operator++() {
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
    : batch_(batches.begin()), first_offset_(batches.first_offset_) {}

const RecordView* RecordBatches::Records::Next() {
  while (status_.ok()) {
    if (!cursor_.has_value()) {
      if (batch_ == Iterator()) return nullptr;
      const RecordBatch batch = *batch_++;
      if (batch.is_control()) continue;
      cursor_.emplace(batch);
    }
    while (const RecordView* record = cursor_->Next()) {
      if (record->offset() >= first_offset_) return record;
    }
    status_ = cursor_->status();
    cursor_.reset();
  }
  return nullptr;
}

}  // namespace varve
