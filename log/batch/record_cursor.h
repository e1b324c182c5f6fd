// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_RECORD_CURSOR_H_
#define VARVE_LOG_BATCH_RECORD_CURSOR_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_view.h"

namespace varve {

// Walks the records of one batch:
//
//   RecordCursor cursor(batch);
//   while (const RecordView* record = cursor.Next()) { ... }
//   if (!cursor.status().ok()) { ... }
//
// It owns nothing: the batch's bytes, or those that its records were
// decompressed into, must outlive it and the records it returns. The records of
// a control batch are returned as any others;
// log/batch/control_record.h reads them. Each record is checked before it is
// returned, so views of it never leave these bytes; a batch whose CRC holds
// fails here only if its writer was wrong.
//
// Thread safety: externally synchronized.
class RecordCursor {
 public:
  // Walks the records where they are: Unimplemented for those of a compressed
  // batch.
  explicit RecordCursor(const RecordBatch& batch);

  // Walks `records`, which are those of the batch, decompressed if it is
  // compressed (`PlainRecords` of log/batch/codecs.h has them).
  RecordCursor(const RecordBatch& batch, std::string_view records);

  // The next record, valid until the next call; the bytes it points at are
  // valid as long as those that it walks. Null after the last record, and after
  // an error, which stays.
  const RecordView* Next();

  // OK until Next has failed.
  //
  // Errors: DataLoss with the batch's offset, the record and what is wrong: a
  // part that does not fit its record, a record whose parts do not add up to
  // its length, a null header key, an offset delta that does not increase or
  // exceeds the batch's last one, bytes left after the last record.
  // Unimplemented for a compressed batch that has records, without these: its
  // bytes are whole, but were read without decompression.
  const absl::Status& status() const { return status_; }

 private:
  const RecordView* Fail(std::string_view what);
  // Decodes one record, or its headers. DecodeRecord and DecodeHeaders return
  // null, or what is wrong.
  const char* DecodeRecord();
  const char* DecodeHeaders(const char* at, const char* end, int32_t count);

  // Of the batch.
  int64_t base_offset_;
  int64_t time_base_ms_;  // added to deltas, unless LogAppendTime
  int64_t append_time_ms_;
  TimestampType timestamp_type_;
  int32_t last_offset_delta_;
  int32_t record_count_;

  // Where it stands.
  const char* at_;
  const char* end_;
  int32_t index_ = 0;          // of the next record
  int32_t offset_delta_ = -1;  // of the last record read
  RecordView record_;
  absl::Status status_;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_CURSOR_H_
