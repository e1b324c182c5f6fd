// SPDX-License-Identifier: Apache-2.0

// Putting batches into a log's memory, in the order that makes a crash
// harmless: the length field, which says that a batch is there, comes last.
// Nothing here allocates, fails or takes a lock.

#ifndef VARVE_LOG_BATCH_PLACEMENT_H_
#define VARVE_LOG_BATCH_PLACEMENT_H_

#include <cstdint>

#include "log/encoded_batch.h"
#include "log/record.h"
#include "log/record_batch.h"

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

// The bytes that PlaceRecord will store. It may exceed kBatchSizeMax; such a
// record must be refused.
int64_t SingleRecordBatchSize(const Record& record);

// Encodes a batch of this one record at `at`. `timestamp_ms` is the record's;
// `record.timestamp` is not looked at.
//
// Precondition: SingleRecordBatchSize(record), at most kBatchSizeMax, bytes
// are there, and are zero.
void PlaceRecord(const Record& record, int64_t timestamp_ms,
                 const BatchPlacement& placement, char* at);

// Copies the batch to `at` with its place filled in. Its CRC does not cover
// offset and epoch, so it is computed anew only for kLogAppendTime.
//
// Precondition: batch.size_bytes() bytes are there, and are zero.
void PlaceBatch(const EncodedBatch& batch, const BatchPlacement& placement,
                char* at);

}  // namespace varve

#endif  // VARVE_LOG_BATCH_PLACEMENT_H_
