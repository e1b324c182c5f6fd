// SPDX-License-Identifier: Apache-2.0

#include "log/batch_placement.h"

#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "index/big_endian.h"
#include "log/batch_header.h"
#include "log/encoded_batch.h"
#include "log/record_batch.h"
#include "log/record_encoder.h"
#include "log/varint.h"

namespace varve {
namespace {

// Copies all of `from` behind the leader epoch, with append time, and one pass
// over the records for both copy and CRC.
void CopyStamped(std::string_view from, int64_t append_time_ms, char* at) {
  constexpr int kHead = batch_layout::kRecords - batch_layout::kMagic;
  std::memcpy(at + batch_layout::kMagic, from.data() + batch_layout::kMagic,
              kHead);
  const int16_t attributes = LoadBig16(at + batch_layout::kAttributes);
  StoreBig16(
      at + batch_layout::kAttributes,
      static_cast<int16_t>(attributes | batch_attributes::kLogAppendTime));
  StoreBig64(at + batch_layout::kMaxTimestamp, append_time_ms);
  const std::string_view covered_head(
      at + batch_layout::kAttributes,
      batch_layout::kRecords - batch_layout::kAttributes);
  const std::string_view records = from.substr(batch_layout::kRecords);
  const absl::crc32c_t crc =
      absl::MemcpyCrc32c(at + batch_layout::kRecords, records.data(),
                         records.size(), absl::ComputeCrc32c(covered_head));
  StoreBatchCrc(crc, at);
}

}  // namespace

int64_t SingleRecordBatchSize(const Record& record) {
  const int64_t body_size = RecordBodySize(record, 0, 0);
  return batch_layout::kRecords + VarlongSize(body_size) + body_size;
}

void PlaceRecord(const Record& record, int64_t timestamp_ms,
                 const BatchPlacement& placement, char* at) {
  const int64_t body_size = RecordBodySize(record, 0, 0);
  CHECK_LT(body_size, kBatchSizeMax);
  const bool stamped =
      placement.timestamp_type == TimestampType::kLogAppendTime;
  StoreBatchHeader(
      {.base_offset = placement.base_offset,
       .leader_epoch = placement.leader_epoch,
       .attributes = stamped ? batch_attributes::kLogAppendTime : int16_t{0},
       .base_timestamp_ms = timestamp_ms,
       .max_timestamp_ms = stamped ? placement.append_time_ms : timestamp_ms,
       .record_count = 1},
      at);
  const char* const end =
      EncodeRecord(record, 0, 0, body_size, at + batch_layout::kRecords);
  SealBatch(end - at, at);
}

void PlaceBatch(const EncodedBatch& batch, const BatchPlacement& placement,
                char* at) {
  const std::string_view from = batch.bytes();
  StoreBig64(at + batch_layout::kBaseOffset, placement.base_offset);
  StoreBig32(at + batch_layout::kLeaderEpoch, placement.leader_epoch);
  if (placement.timestamp_type == TimestampType::kLogAppendTime) {
    CopyStamped(from, placement.append_time_ms, at);
  } else {
    std::memcpy(at + batch_layout::kMagic, from.data() + batch_layout::kMagic,
                from.size() - batch_layout::kMagic);
  }
  StoreBatchLength(batch.size_bytes(), at);
}

}  // namespace varve
