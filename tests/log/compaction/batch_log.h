// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_COMPACTION_BATCH_LOG_H_
#define VARVE_TESTS_LOG_COMPACTION_BATCH_LOG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/random_records.h"
#include "varve/index/big_endian.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"

namespace varve {

// A record with a key and a value, or a tombstone.
inline OwnedRecord Put(std::string key, std::string value,
                       int64_t timestamp_ms = 1000) {
  return {.key = std::move(key),
          .value = std::move(value),
          .headers = {},
          .timestamp_ms = timestamp_ms};
}
inline OwnedRecord Tombstone(std::string key, int64_t timestamp_ms = 1000) {
  return {.key = std::move(key),
          .value = std::nullopt,
          .headers = {},
          .timestamp_ms = timestamp_ms};
}

// The batches of a log, in memory.
class BatchLog {
 public:
  struct Shape {
    Compression compression = Compression::kNone;
    TimestampType timestamp_type = TimestampType::kCreateTime;
    int64_t producer_id = -1;
    int32_t base_sequence = -1;
    Transactional transactional = Transactional::kNo;
    int32_t leader_epoch = 3;
  };

  // Appends one batch, and returns its base offset.
  int64_t Append(const std::vector<OwnedRecord>& records, const Shape& shape) {
    RecordBatchBuilder builder(
        {.producer_id = shape.producer_id,
         .producer_epoch = static_cast<int16_t>(shape.producer_id < 0 ? -1 : 0),
         .base_sequence = shape.base_sequence,
         .transactional = shape.transactional,
         .timestamp_type = shape.timestamp_type});
    std::vector<Header> headers;
    for (const OwnedRecord& record : records) {
      CHECK_OK(builder.Append(record.View(&headers), record.timestamp_ms));
    }
    if (shape.compression == Compression::kNone) {
      return AppendBytes(builder.Finish().bytes(), shape.leader_epoch);
    }
    const auto batch =
        builder.FinishCompressed(*codecs()->Find(shape.compression));
    CHECK_OK(batch);
    return AppendBytes(batch->bytes(), shape.leader_epoch);
  }
  int64_t Append(const std::vector<OwnedRecord>& records) {
    return Append(records, Shape());
  }
  // One record of a producer's transaction.
  int64_t AppendTransactional(int64_t producer_id, const OwnedRecord& record) {
    return Append({record}, {.producer_id = producer_id,
                             .base_sequence = 0,
                             .transactional = Transactional::kYes});
  }

  int64_t AppendMarker(int64_t producer_id, ControlRecordType type) {
    RecordBatchBuilder builder({.producer_id = producer_id,
                                .producer_epoch = 0,
                                .transactional = Transactional::kYes,
                                .kind = BatchKind::kControl});
    const ControlRecordKey key(type);
    const EndTransactionValue value(7);
    CHECK_OK(builder.Append({.key = key.bytes(), .value = value.bytes()},
                            int64_t{1000}));
    return AppendBytes(builder.Finish().bytes(), 3);
  }
  // An ABORT marker, and the entry of the transaction index.
  int64_t Abort(int64_t producer_id, int64_t first_offset) {
    const int64_t offset = AppendMarker(producer_id, ControlRecordType::kAbort);
    aborted.push_back({producer_id, first_offset, offset, offset + 1});
    return offset;
  }

  int64_t AppendBytes(std::string_view batch, int32_t leader_epoch) {
    std::string bytes(batch);
    const int64_t base_offset = end();
    StoreBig64(bytes.data() + batch_layout::kBaseOffset, base_offset);
    StoreBig32(bytes.data() + batch_layout::kLeaderEpoch, leader_epoch);
    end_ = RecordBatch(bytes).next_offset();
    batches.push_back(std::move(bytes));
    return base_offset;
  }

  // Leaves offsets out.
  void SkipTo(int64_t offset) { end_ = offset; }
  int64_t end() const { return end_; }
  static const Codecs* codecs() {
    static const FakeCodecs fakes;
    return &fakes.all;
  }

  RecordBatch batch(size_t i) const { return RecordBatch(batches[i]); }
  std::string bytes() const {
    std::string all;
    for (const std::string& batch : batches) all += batch;
    return all;
  }

  std::vector<std::string> batches;
  std::vector<AbortedTransaction> aborted;

 private:
  int64_t end_ = 0;
};

// A record and its offset.
using PlacedRecord = std::pair<int64_t, OwnedRecord>;

inline std::vector<PlacedRecord> RecordsOf(const RecordBatch& batch,
                                           const Codecs* codecs) {
  ByteBuffer scratch;
  const auto plain = PlainRecords(batch, codecs, scratch);
  CHECK_OK(plain);
  std::vector<PlacedRecord> records;
  RecordCursor cursor(batch, *plain);
  while (const RecordView* const record = cursor.Next()) {
    records.emplace_back(record->offset(), Owned(*record));
  }
  CHECK_OK(cursor.status());
  return records;
}

}  // namespace varve

#endif  // VARVE_TESTS_LOG_COMPACTION_BATCH_LOG_H_
