// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/batch_admission.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

constexpr int16_t kDefinedAttributes =
    batch_attributes::kCompressionMask | batch_attributes::kLogAppendTime |
    batch_attributes::kTransactional | batch_attributes::kControl |
    batch_attributes::kDeleteHorizon;
static_assert(kDefinedAttributes == 0x7f, "bits 7 to 15 mean nothing");

absl::Status BadTimestamp(std::string_view what, int64_t timestamp_ms) {
  return absl::InvalidArgumentError(
      absl::StrCat("a batch whose ", what, " is ", timestamp_ms,
                   " ms: it has to be 0 to 2^63-2, or -1 for none"));
}

// The first record has the base timestamp, so the largest is no less. A log
// that has stamped the batch has set the largest itself.
bool TimesContradict(const RecordBatch& batch) {
  return batch.timestamp_type() == TimestampType::kCreateTime &&
         !batch.has_delete_horizon() &&
         batch.base_timestamp_ms() > batch.max_timestamp_ms();
}

absl::Status CheckTimes(const RecordBatch& batch) {
  if (!IsTimestampOrNone(batch.base_timestamp_ms())) {
    return BadTimestamp("base timestamp", batch.base_timestamp_ms());
  }
  if (!IsTimestampOrNone(batch.max_timestamp_ms())) {
    return BadTimestamp("largest timestamp", batch.max_timestamp_ms());
  }
  if (!TimesContradict(batch)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "a batch whose largest timestamp, ", batch.max_timestamp_ms(),
      " ms, is below its base timestamp, ", batch.base_timestamp_ms(), " ms"));
}

}  // namespace

absl::Status CheckBatchHeader(const RecordBatch& batch) {
  const auto undefined =
      static_cast<uint16_t>(batch.attributes() & ~kDefinedAttributes);
  if (undefined != 0) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "a batch with attribute bits that mean nothing: 0x%04x", undefined));
  }
  const int64_t count = batch.record_count();
  const int64_t delta = batch.last_offset_delta();
  if (delta < 0 || count < 0 || count > delta + 1 ||
      batch.compression() > Compression::kZstd) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a batch whose header contradicts itself: last offset delta ", delta,
        ", record count ", count, ", compression ",
        static_cast<int>(batch.compression())));
  }
  return CheckTimes(batch);
}

absl::Status CheckBatchRecords(const RecordBatch& batch) {
  if (batch.compression() != Compression::kNone) return absl::OkStatus();
  int64_t largest_ms = kNoTimestamp;
  RecordCursor cursor(batch);
  while (const RecordView* record = cursor.Next()) {
    if (!IsTimestampOrNone(record->timestamp_ms())) {
      return BadTimestamp(
          absl::StrCat("record ", record->offset() - batch.base_offset(),
                       "'s timestamp"),
          record->timestamp_ms());
    }
    largest_ms = std::max(largest_ms, record->timestamp_ms());
  }
  if (!cursor.status().ok()) return cursor.status();
  if (batch.record_count() == 0 || largest_ms == batch.max_timestamp_ms()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "a batch that states a largest timestamp of ", batch.max_timestamp_ms(),
      " ms, and whose records have ", largest_ms, " ms"));
}

}  // namespace varve
