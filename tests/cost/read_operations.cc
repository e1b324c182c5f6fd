// SPDX-License-Identifier: Apache-2.0

#include "tests/cost/read_operations.h"

#include <cstdint>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"

namespace varve::cost {

Scan::Scan(CountedStore& store, int batch_records)
    : covered_(kBatchRecords / batch_records * CoveredBytes(batch_records)),
      end_(store.partition().visible_end()),
      cursor_(store.partition(), 0) {
  CHECK_EQ(end_ % kBatchRecords, 0);
}

void Scan::Prepare() {
  if (cursor_.position() == end_) cursor_.Seek(0);
}

Operation::Done Scan::Counted() {
  for (int i = 0; i < kBatchRecords; ++i) {
    const RecordView* const record = cursor_.Next();
    CHECK(record != nullptr) << cursor_.status();
    CHECK_EQ(record->value()->size(), kValueBytes);
  }
  return {.count = kBatchRecords, .batch_bytes = covered_};
}

void PointRead::Prepare() {
  offset_ = static_cast<int64_t>(random_()) % partition_.visible_end();
}

Operation::Done PointRead::Counted() {
  int64_t offset = offset_;
  if (known_ == Known::kTime) {
    const absl::StatusOr<int64_t> found = partition_.OffsetForTime(
        absl::FromUnixMillis(kFirstTimestampMs + offset_));
    CHECK_OK(found.status());
    offset = *found;
  }
  const absl::StatusOr<RecordBatches> view =
      partition_.Read(offset, {.max_bytes = 0});
  CHECK_OK(view.status());
  RecordBatches::Records records = view->records();
  const RecordView* const record = records.Next();
  CHECK(record != nullptr && record->offset() == offset_);
  return {.batch_bytes = covered_};
}

Operation::Done HandOver::Counted() {
  CHECK_OK(partition_.Append({.value = value_}, Durability::kMemory).status());
  const RecordView* const record = cursor_.Next();
  CHECK(record != nullptr) << cursor_.status();
  CHECK_EQ(record->value()->size(), kValueBytes);
  return {.batch_bytes = covered_};
}

}  // namespace varve::cost
