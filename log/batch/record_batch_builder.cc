// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_batch_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/batch_compression.h"
#include "varve/log/batch/batch_header.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_encoder.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/batch/varint.h"

namespace varve {
namespace {

constexpr size_t kCapacityMin = 4096;
static_assert(kCapacityMin >= batch_layout::kRecords,
              "a batch without records has room from the first");

int64_t SubtractWrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) -
                              static_cast<uint64_t>(b));
}

absl::Status CheckProducer(const BatchOptions& options) {
  if (options.producer_id < -1 || options.producer_epoch < -1 ||
      options.base_sequence < -1) {
    return absl::InvalidArgumentError(
        "batch options: a producer's field is below -1");
  }
  if (options.producer_id == -1) {
    if (options.producer_epoch == -1 && options.base_sequence == -1 &&
        options.transactional == Transactional::kNo) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        "batch options: a producer epoch, a sequence and a transaction need a "
        "producer id");
  }
  if (options.producer_epoch == -1) {
    return absl::InvalidArgumentError(
        "batch options: a producer id needs a producer epoch");
  }
  const bool is_control = options.kind == BatchKind::kControl;
  if (is_control == (options.base_sequence == -1)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      is_control ? "batch options: a control batch has no base sequence"
                 : "batch options: a producer id needs a base sequence");
}

}  // namespace

absl::Status BatchOptions::Validate() const {
  if (delete_horizon_ms.has_value() &&
      (*delete_horizon_ms < 0 || *delete_horizon_ms > kTimestampMax)) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch options: delete horizon ", *delete_horizon_ms,
                     " is not within 0 to 2^63-2"));
  }
  if (size_max < 1 || size_max > kBatchSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch options: size_max ", size_max,
                     " is not between 1 and ", kBatchSizeMax));
  }
  return CheckProducer(*this);
}

RecordBatchBuilder::RecordBatchBuilder(const BatchOptions& options)
    : options_(options), options_status_(options.Validate()) {
  plain_.Reserve(kCapacityMin);
  plain_.Extend(batch_layout::kRecords);
}

absl::Status RecordBatchBuilder::Append(const Record& record,
                                        absl::Time default_time) {
  absl::StatusOr<int64_t> timestamp_ms =
      TimestampMs(record.timestamp.value_or(default_time));
  if (!timestamp_ms.ok()) return timestamp_ms.status();
  return Append(record, *timestamp_ms);
}

absl::Status RecordBatchBuilder::Append(const Record& record,
                                        int64_t timestamp_ms) {
  if (last_offset_delta_ == std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(
        "the batch has used its last offset; no record can follow");
  }
  return AppendAt(last_offset_delta_ + 1, record, timestamp_ms);
}

// Two codes, because the caller can put the record into the next batch only if
// it fits a batch of its own.
absl::Status RecordBatchBuilder::TooLarge(int64_t record_size) const {
  const std::string message = absl::StrCat(
      "a record of ", record_size, " bytes does not fit a batch of ",
      size_bytes(), ": it holds at most ", options_.size_max, " bytes");
  return batch_layout::kRecords + record_size > options_.size_max
             ? absl::InvalidArgumentError(message)
             : absl::ResourceExhaustedError(message);
}

absl::Status RecordBatchBuilder::AppendAt(int32_t offset_delta,
                                          const Record& record,
                                          int64_t timestamp_ms) {
  if (!options_status_.ok()) return options_status_;
  if (offset_delta <= last_offset_delta_) {
    return absl::InvalidArgumentError(
        absl::StrCat("offset delta ", offset_delta, " does not follow ",
                     last_offset_delta_));
  }
  if (!IsTimestampOrNone(timestamp_ms)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "timestamp ", timestamp_ms, " ms is before 1970, or 2^63-1"));
  }
  const int64_t base_timestamp_ms =
      record_count_ > 0 ? base_timestamp_ms_
                        : options_.delete_horizon_ms.value_or(timestamp_ms);
  const int64_t timestamp_delta =
      SubtractWrapping(timestamp_ms, base_timestamp_ms);
  const int64_t body_size =
      RecordBodySize(record, timestamp_delta, offset_delta);
  const int64_t size = VarlongSize(body_size) + body_size;
  if (size_bytes() + size > options_.size_max) return TooLarge(size);
  EncodeRecord(record, timestamp_delta, offset_delta, body_size,
               plain_.Reserve(static_cast<size_t>(size)));
  plain_.Extend(static_cast<size_t>(size));
  ++record_count_;
  last_offset_delta_ = offset_delta;
  base_timestamp_ms_ = base_timestamp_ms;
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  return absl::OkStatus();
}

EncodedBatch RecordBatchBuilder::Finish() {
  CHECK_GT(record_count_, 0) << "Finish of a batch without records";
  absl::StatusOr<EncodedBatch> batch = FinishAs({});
  CHECK_OK(batch.status());
  return *batch;
}

absl::StatusOr<EncodedBatch> RecordBatchBuilder::FinishAs(
    const BatchShape& shape) {
  if (!options_status_.ok()) return options_status_;
  const BatchHeader header = Header(shape);
  if (header.last_offset_delta < std::max(0, last_offset_delta_)) {
    return absl::InvalidArgumentError(
        absl::StrCat("last offset delta ", header.last_offset_delta,
                     " is not that of a batch whose last record is at ",
                     last_offset_delta_));
  }
  if (!IsTimestampOrNone(header.max_timestamp_ms)) {
    return absl::InvalidArgumentError(
        absl::StrCat("largest timestamp ", header.max_timestamp_ms,
                     " ms is before 1970, or 2^63-1"));
  }
  StoreBatchHeader(header, plain_.data());
  SealBatch(size_bytes(), plain_.data());
  return EncodedBatch::Unchecked(RecordBatch(plain_.view()));
}

std::string_view RecordBatchBuilder::records() const {
  return plain_.view().substr(batch_layout::kRecords);
}

absl::Status RecordBatchBuilder::CheckNotEmpty() const {
  if (!empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("there is no record to compress");
}

absl::StatusOr<EncodedBatch> RecordBatchBuilder::FinishCompressed(
    const Codec& codec, int level) {
  if (absl::Status status = CheckNotEmpty(); !status.ok()) return status;
  StoreBatchHeader(Header({}), plain_.data());
  const absl::StatusOr<RecordBatch> batch =
      CompressBatch(RecordBatch(plain_.view()), codec, level, compressed_);
  if (!batch.ok()) return batch.status();
  return EncodedBatch::Unchecked(*batch);
}

absl::StatusOr<EncodedBatch> RecordBatchBuilder::FinishCompressed(
    Compression codec, std::string_view compressed) {
  if (absl::Status status = CheckNotEmpty(); !status.ok()) return status;
  if (codec <= Compression::kNone || codec > Compression::kZstd) {
    return absl::InvalidArgumentError(
        absl::StrCat("compression ", static_cast<int>(codec),
                     " is not a codec of the format"));
  }
  const int64_t size =
      batch_layout::kRecords + static_cast<int64_t>(compressed.size());
  if (size > kBatchSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a compressed batch of ", size,
                     " bytes exceeds the limit of ", kBatchSizeMax));
  }
  BatchHeader header = Header({});
  header.attributes =
      static_cast<int16_t>(header.attributes | static_cast<int16_t>(codec));
  compressed_.Truncate(0);
  StoreBatchHeader(header, compressed_.Reserve(static_cast<size_t>(size)));
  compressed_.Extend(batch_layout::kRecords);
  compressed_.Append(compressed);
  SealBatch(size, compressed_.data());
  return EncodedBatch::Unchecked(RecordBatch(compressed_.view()));
}

void RecordBatchBuilder::Clear() {
  plain_.Truncate(batch_layout::kRecords);
  record_count_ = 0;
  last_offset_delta_ = -1;
  base_timestamp_ms_ = kNoTimestamp;
  max_timestamp_ms_ = kNoTimestamp;
}

BatchHeader RecordBatchBuilder::Header(const BatchShape& shape) const {
  int attributes = 0;
  if (options_.timestamp_type == TimestampType::kLogAppendTime) {
    attributes |= batch_attributes::kLogAppendTime;
  }
  if (options_.transactional == Transactional::kYes) {
    attributes |= batch_attributes::kTransactional;
  }
  if (options_.kind == BatchKind::kControl) {
    attributes |= batch_attributes::kControl;
  }
  if (options_.delete_horizon_ms.has_value() && record_count_ > 0) {
    attributes |= batch_attributes::kDeleteHorizon;
  }
  return {
      .attributes = static_cast<int16_t>(attributes),
      .last_offset_delta = shape.last_offset_delta.value_or(last_offset_delta_),
      .base_timestamp_ms = base_timestamp_ms_,
      .max_timestamp_ms = shape.max_timestamp_ms.value_or(max_timestamp_ms_),
      .producer_id = options_.producer_id,
      .producer_epoch = options_.producer_epoch,
      .base_sequence = options_.base_sequence,
      .record_count = record_count_};
}

}  // namespace varve
