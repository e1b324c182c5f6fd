// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_RECORD_BATCH_BUILDER_H_
#define VARVE_LOG_BATCH_RECORD_BATCH_BUILDER_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

struct BatchHeader;

// Whether a batch belongs to a transaction, and whether it holds the records of
// a program or markers among them (log/batch/control_record.h).
enum class Transactional { kNo, kYes };
enum class BatchKind { kData, kControl };

// The fields of a batch that do not follow from its records, and its largest
// size. The defaults are those of an ordinary append.
struct BatchOptions {
  // The fields of an idempotent or transactional producer: all three, or none
  // (-1). A control batch has no sequence. With them an append is idempotent:
  // it finds duplicates and gaps (api/partition.h).
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;

  // Needs a producer. What a reader gets of a transactional batch before its
  // transaction is committed, and when it is aborted, the reader says
  // (ReadOptions::isolation).
  Transactional transactional = Transactional::kNo;
  BatchKind kind = BatchKind::kData;

  // kLogAppendTime marks records that a log has stamped already; an append
  // to a topic that stamps sets it by itself.
  TimestampType timestamp_type = TimestampType::kCreateTime;

  // Bytes that the batch may have at most, its header included. Default: what
  // the format can hold; Partition::batch_size_max is what a topic accepts.
  int64_t size_max = kBatchSizeMax;

  // When the tombstones in the batch may be removed, in ms since the Unix
  // epoch; set only by compaction.
  std::optional<int64_t> delete_horizon_ms = std::nullopt;

  // Errors: InvalidArgument for options that contradict each other.
  absl::Status Validate() const;
};

// Fields that follow from the appended records unless they are set here:
// compaction drops records and keeps their offsets.
struct BatchShape {
  // It is at or after the offset delta of the last record.
  std::optional<int32_t> last_offset_delta = std::nullopt;
  std::optional<int64_t> max_timestamp_ms = std::nullopt;
};

// Encodes records into one batch, in a buffer of its own that it keeps, so that
// a builder that is used again stops allocating.
//
//   RecordBatchBuilder builder;
//   for (...) { status = builder.Append({.value = line}, now); ... }
//   if (!builder.empty()) {
//     result = partition.Append(builder.Finish(), durability);
//     builder.Clear();
//   }
//
// Append copies the record: it need not outlive the call. The result of Finish
// points into the builder. A builder that was moved from may only be destroyed
// or assigned to.
//
// Thread safety: externally synchronized. It takes no lock, and should be used
// outside of any.
class RecordBatchBuilder {
 public:
  // Options that do not validate make every Append fail with their error.
  explicit RecordBatchBuilder(const BatchOptions& options = {});

  // Adds `record`. Its time is its own timestamp, or else `default_time`.
  //
  // Errors, which leave the batch as it was: InvalidArgument for a time before
  // 1970, and for a record that is too large for a batch of its own;
  // ResourceExhausted for one with which this batch would exceed
  // BatchOptions::size_max: append the batch, and add it to the next one.
  absl::Status Append(const Record& record, absl::Time default_time);

  // The same with the time to store, in ms since the Unix epoch or -1 for none.
  // `record.timestamp` is IGNORED: for records with times of their own use the
  // overload above.
  absl::Status Append(const Record& record, int64_t timestamp_ms);

  // The same at an offset of the caller's choice, so that offsets between are
  // left out. `offset_delta` counts from the batch's base offset.
  //
  // Errors: those of Append; InvalidArgument for a delta that does not
  // increase.
  absl::Status AppendAt(int32_t offset_delta, const Record& record,
                        int64_t timestamp_ms);

  bool empty() const { return record_count_ == 0; }
  int32_t record_count() const { return record_count_; }
  // Bytes of the batch so far, its header included.
  int64_t size_bytes() const { return static_cast<int64_t>(plain_.size()); }

  // The batch: base offset 0, leader epoch -1, length and CRC right. Valid
  // until the builder is next changed, moved or destroyed. More may be appended
  // after it, and Finish called again.
  //
  // Precondition: `!empty()`; ends the program otherwise.
  EncodedBatch Finish();

  // Like Finish, for batches whose shape does not follow from their records.
  // Without records it makes what compaction leaves of an emptied batch: only a
  // header, without base timestamp and delete horizon.
  //
  // Errors: InvalidArgument for a shape that does not hold the records, for no
  // records and no last offset, and for options that do not validate.
  absl::StatusOr<EncodedBatch> FinishAs(const BatchShape& shape);

  // The encoded records, without a header: what a codec compresses. Valid as
  // long as the result of Finish.
  std::string_view records() const;

  // Like Finish, with the records compressed. The builder keeps a second buffer
  // for that, and its records: more may be appended after it.
  //
  // `level`: in the range of Kafka's `compression.<codec>.level`.
  //
  // Errors: InvalidArgument if there is no record, the codec does not have the
  // level, or the batch would exceed kBatchSizeMax.
  absl::StatusOr<EncodedBatch> FinishCompressed(
      const Codec& codec, int level = Codec::kDefaultLevel);

  // The same for a program that compresses by itself: `compressed` is
  // `records()` compressed with `codec`.
  //
  // Errors: InvalidArgument if there is no record, `codec` is kNone or unknown,
  // or the batch would exceed kBatchSizeMax.
  absl::StatusOr<EncodedBatch> FinishCompressed(Compression codec,
                                                std::string_view compressed);

  // Forgets the records; the options and the buffer stay.
  void Clear();

 private:
  absl::Status TooLarge(int64_t record_size) const;
  absl::Status CheckNotEmpty() const;
  BatchHeader Header(const BatchShape& shape) const;

  BatchOptions options_;
  absl::Status options_status_;
  ByteBuffer plain_;       // the header's place, then the records
  ByteBuffer compressed_;  // a batch of FinishCompressed

  int32_t record_count_ = 0;
  int32_t last_offset_delta_ = -1;
  int64_t base_timestamp_ms_ = kNoTimestamp;
  int64_t max_timestamp_ms_ = kNoTimestamp;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_BATCH_BUILDER_H_
