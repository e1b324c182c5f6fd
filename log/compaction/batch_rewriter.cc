// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/batch_rewriter.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/log/batch/batch_compression.h"
#include "varve/log/batch/batch_header.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/varint.h"

namespace varve {
namespace {

// As Kafka's difference: a timestamp that overflows is meaningless, but comes
// back as it was.
int64_t SubtractWrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) -
                              static_cast<uint64_t>(b));
}

// The parts of an encoded record.
struct RecordParts {
  char attributes = 0;
  int64_t timestamp_delta = 0;
  std::string_view rest;  // from its offset delta on
};

// Precondition: a RecordCursor has accepted it.
RecordParts TakeApart(std::string_view encoded) {
  RecordParts parts;
  const char* const end = encoded.data() + encoded.size();
  int32_t body_size = 0;
  const char* at = DecodeVarint(encoded.data(), end, &body_size);
  DCHECK(at != nullptr);
  parts.attributes = *at++;
  at = DecodeVarlong(at, end, &parts.timestamp_delta);
  DCHECK(at != nullptr);
  parts.rest = std::string_view(at, static_cast<size_t>(end - at));
  return parts;
}

void AppendRecord(const KeptRecord& record, int64_t base_timestamp_ms,
                  ByteBuffer& out) {
  const RecordParts parts = TakeApart(record.encoded);
  const int64_t delta =
      SubtractWrapping(record.timestamp_ms, base_timestamp_ms);
  if (delta == parts.timestamp_delta) return out.Append(record.encoded);
  const int64_t body_size =
      1 + VarlongSize(delta) + static_cast<int64_t>(parts.rest.size());
  const int head_size = VarlongSize(body_size) + 1 + VarlongSize(delta);
  char* const begin = out.Reserve(static_cast<size_t>(head_size));
  char* at = EncodeVarlong(body_size, begin);
  *at++ = parts.attributes;
  at = EncodeVarlong(delta, at);
  DCHECK_EQ(at - begin, head_size);
  out.Extend(static_cast<size_t>(head_size));
  out.Append(parts.rest);
}

int64_t MaxTimestampOf(const RecordBatch& batch,
                       absl::Span<const KeptRecord> records) {
  if (batch.timestamp_type() == TimestampType::kLogAppendTime) {
    return batch.max_timestamp_ms();
  }
  int64_t max_ms = kNoTimestamp;
  for (const KeptRecord& record : records) {
    max_ms = std::max(max_ms, record.timestamp_ms);
  }
  return max_ms;
}

// The header that the batch has without its records.
BatchHeader HeaderLike(const RecordBatch& batch) {
  constexpr int kKept = batch_attributes::kLogAppendTime |
                        batch_attributes::kTransactional |
                        batch_attributes::kControl;
  return {.base_offset = batch.base_offset(),
          .leader_epoch = batch.leader_epoch(),
          .attributes = static_cast<int16_t>(batch.attributes() & kKept),
          .last_offset_delta = batch.last_offset_delta(),
          .max_timestamp_ms = batch.max_timestamp_ms(),
          .producer_id = batch.producer_id(),
          .producer_epoch = batch.producer_epoch(),
          .base_sequence = batch.base_sequence()};
}

absl::Status TooLarge(const RecordBatch& batch, size_t size) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "record batch at offset ", batch.base_offset(), ", compacted, has ", size,
      " bytes and exceeds the limit of ", kBatchSizeMax));
}

}  // namespace

absl::StatusOr<RecordBatch> BatchRewriter::Rewrite(
    const RecordBatch& batch, absl::Span<const KeptRecord> records,
    std::optional<int64_t> new_horizon_ms) {
  CHECK(!records.empty());
  CHECK(!new_horizon_ms.has_value() || !batch.has_delete_horizon());
  BatchHeader header = HeaderLike(batch);
  header.record_count = static_cast<int32_t>(records.size());
  header.max_timestamp_ms = MaxTimestampOf(batch, records);
  header.base_timestamp_ms =
      batch.has_delete_horizon()
          ? batch.base_timestamp_ms()
          : new_horizon_ms.value_or(records.front().timestamp_ms);
  if (batch.has_delete_horizon() || new_horizon_ms.has_value()) {
    header.attributes |= batch_attributes::kDeleteHorizon;
  }
  plain_.Truncate(0);
  plain_.Reserve(batch_layout::kRecords);
  plain_.Extend(batch_layout::kRecords);
  for (const KeptRecord& record : records) {
    AppendRecord(record, header.base_timestamp_ms, plain_);
    if (static_cast<int64_t>(plain_.size()) > kBatchSizeMax) {
      return TooLarge(batch, plain_.size());
    }
  }
  StoreBatchHeader(header, plain_.data());
  if (batch.compression() == Compression::kNone) {
    SealBatch(static_cast<int64_t>(plain_.size()), plain_.data());
    return RecordBatch(plain_.view());
  }
  const Codec* const codec =
      codecs_ == nullptr ? nullptr : codecs_->Find(batch.compression());
  if (codec == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("record batch at offset ", batch.base_offset(),
                     " cannot be compressed again: there is no codec ",
                     CompressionName(batch.compression())));
  }
  return CompressBatch(RecordBatch(plain_.view()), *codec, Codec::kDefaultLevel,
                       compressed_);
}

RecordBatch BatchRewriter::Empty(const RecordBatch& batch) {
  plain_.Truncate(0);
  plain_.Reserve(batch_layout::kRecords);
  plain_.Extend(batch_layout::kRecords);
  StoreBatchHeader(HeaderLike(batch), plain_.data());
  SealBatch(batch_layout::kRecords, plain_.data());
  return RecordBatch(plain_.view());
}

}  // namespace varve
