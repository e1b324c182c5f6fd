// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_INCOMING_BATCH_H_
#define VARVE_LOG_BATCH_INCOMING_BATCH_H_

#include <cstdint>

#include "absl/log/check.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// What the log, not the writer of the records, says about a batch.
struct BatchPlacement {
  int64_t base_offset = 0;
  int32_t leader_epoch = -1;
  // kLogAppendTime: `append_time_ms` is stored as the batch's maximum and so
  // becomes the time of its records; their own stay in the bytes, unread.
  // kCreateTime: the batch keeps its times, and its type.
  TimestampType timestamp_type = TimestampType::kCreateTime;
  int64_t append_time_ms = kNoTimestamp;
};

// A batch on its way into a log: one record, which is encoded where it goes, or
// a batch that its caller has encoded. It is measured once, and knows all that
// the log asks of a batch before it is written.
//
// Borrows the record or the batch, for the time of one append. Nothing here
// allocates, fails or takes a lock.
//
// Thread safety: externally synchronized.
class IncomingBatch {
 public:
  // A batch of this record alone. `timestamp_ms` is the record's;
  // `record.timestamp` is not looked at. `now_ms` is the time of the append.
  IncomingBatch(const Record& record, int64_t timestamp_ms, int64_t now_ms);
  IncomingBatch(const EncodedBatch& batch, int64_t now_ms);

  // Bytes, the header included. May exceed kBatchSizeMax for a record: such a
  // batch must be refused.
  int64_t size() const { return size_; }
  int32_t last_offset_delta() const { return last_offset_delta_; }
  int64_t record_count() const { return int64_t{last_offset_delta_} + 1; }
  int64_t max_timestamp_ms() const { return max_timestamp_ms_; }
  int64_t now_ms() const { return now_ms_; }
  // The batch that its caller has encoded; null for a record.
  const EncodedBatch* encoded() const { return encoded_; }

  // The log stamps the batch with this time (LogAppendTime).
  void Stamp(int64_t append_time_ms) {
    DCHECK_GE(append_time_ms, 0);
    max_timestamp_ms_ = append_time_ms;
  }

  // Stores the batch at `at` in the order that makes a crash harmless: the
  // length field, which says that a batch is there, comes last. The CRC of an
  // encoded batch covers neither offset nor epoch, so it is computed again only
  // for kLogAppendTime.
  //
  // Precondition: `size()` bytes, at most kBatchSizeMax, are there; those of a
  // file are zero.
  void PlaceAt(char* at, const BatchPlacement& placement) const;

 private:
  void PlaceRecord(char* at, const BatchPlacement& placement) const;
  void PlaceEncoded(char* at, const BatchPlacement& placement) const;

  // One of the two.
  const Record* record_ = nullptr;
  const EncodedBatch* encoded_ = nullptr;

  int64_t body_size_ = 0;     // of the record
  int64_t timestamp_ms_ = 0;  // of the record
  int64_t size_ = 0;
  int32_t last_offset_delta_ = 0;
  int64_t max_timestamp_ms_ = kNoTimestamp;
  int64_t now_ms_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_INCOMING_BATCH_H_
