// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/incoming_batch.h"

#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/batch_header.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_encoder.h"
#include "varve/log/batch/varint.h"

namespace varve {
namespace {

// Copies all of `from` after the leader epoch, with the append time set. One
// pass over the records does both the copy and the CRC.
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

IncomingBatch::IncomingBatch(const Record& record, int64_t timestamp_ms,
                             int64_t now_ms)
    : record_(&record),
      body_size_(RecordBodySize(record, 0, 0)),
      timestamp_ms_(timestamp_ms),
      size_(batch_layout::kRecords + VarlongSize(body_size_) + body_size_),
      max_timestamp_ms_(timestamp_ms),
      now_ms_(now_ms) {}

IncomingBatch::IncomingBatch(const EncodedBatch& batch, int64_t now_ms)
    : encoded_(&batch),
      size_(batch.size_bytes()),
      last_offset_delta_(batch.batch().last_offset_delta()),
      max_timestamp_ms_(batch.batch().max_timestamp_ms()),
      now_ms_(now_ms) {}

void IncomingBatch::PlaceAt(char* at, const BatchPlacement& placement) const {
  CHECK_LE(size_, kBatchSizeMax);
  DCHECK((record_ == nullptr) != (encoded_ == nullptr));
  if (record_ != nullptr) {
    PlaceRecord(at, placement);
  } else {
    PlaceEncoded(at, placement);
  }
}

void IncomingBatch::PlaceRecord(char* at,
                                const BatchPlacement& placement) const {
  const bool stamped =
      placement.timestamp_type == TimestampType::kLogAppendTime;
  StoreBatchHeader(
      {.base_offset = placement.base_offset,
       .leader_epoch = placement.leader_epoch,
       .attributes = stamped ? batch_attributes::kLogAppendTime : int16_t{0},
       .base_timestamp_ms = timestamp_ms_,
       .max_timestamp_ms = stamped ? placement.append_time_ms : timestamp_ms_,
       .record_count = 1},
      at);
  const char* const end =
      EncodeRecord(*record_, 0, 0, body_size_, at + batch_layout::kRecords);
  DCHECK_EQ(end - at, size_);  // so much room is there
  SealBatch(end - at, at);
}

void IncomingBatch::PlaceEncoded(char* at,
                                 const BatchPlacement& placement) const {
  const std::string_view from = encoded_->bytes();
  StoreBig64(at + batch_layout::kBaseOffset, placement.base_offset);
  StoreBig32(at + batch_layout::kLeaderEpoch, placement.leader_epoch);
  if (placement.timestamp_type == TimestampType::kLogAppendTime) {
    CopyStamped(from, placement.append_time_ms, at);
  } else {
    std::memcpy(at + batch_layout::kMagic, from.data() + batch_layout::kMagic,
                from.size() - batch_layout::kMagic);
  }
  StoreBatchLength(encoded_->size_bytes(), at);
}

}  // namespace varve
