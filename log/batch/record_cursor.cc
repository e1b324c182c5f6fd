// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_cursor.h"

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_decoder.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/batch/varint.h"

namespace varve {
namespace {

// Wraps around as Kafka's sum does: a timestamp that overflows is meaningless,
// but not undefined behaviour.
int64_t AddWrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(b));
}

}  // namespace

RecordCursor::RecordCursor(const RecordBatch& batch, std::string_view records)
    : base_offset_(batch.base_offset()),
      time_base_ms_(batch.base_timestamp_ms()),
      append_time_ms_(batch.max_timestamp_ms()),
      timestamp_type_(batch.timestamp_type()),
      last_offset_delta_(batch.last_offset_delta()),
      record_count_(batch.record_count()),
      at_(records.data()),
      end_(at_ + records.size()) {}

RecordCursor::RecordCursor(const RecordBatch& batch)
    : RecordCursor(batch, batch.records()) {
  if (batch.compression() == Compression::kNone) return;
  if (record_count_ == 0) {
    at_ = end_;
    return;
  }
  status_ = absl::UnimplementedError(
      absl::StrCat("record batch at offset ", base_offset_,
                   " is compressed with ", CompressionName(batch.compression()),
                   ", and was read without decompression"));
}

const RecordView* RecordCursor::Next() {
  if (!status_.ok()) return nullptr;
  if (index_ == record_count_) {
    return at_ == end_ ? nullptr : Fail("bytes follow the last record");
  }
  if (const char* wrong = DecodeRecord()) return Fail(wrong);
  ++index_;
  return &record_;
}

const char* RecordCursor::DecodeRecord() {
  RecordView::Fields& fields = record_.fields_;
  int32_t body_size;
  const char* at = DecodeVarint(at_, end_, &body_size);
  if (at == nullptr) return "its length does not fit the batch";
  if (body_size < 1 || body_size > end_ - at) {
    return "its length is out of bounds";
  }
  const char* const end = at + body_size;
  ++at;  // Attributes: Kafka defines none yet, and ignores them.

  int64_t timestamp_delta;
  at = DecodeVarlong(at, end, &timestamp_delta);
  if (at == nullptr) return "its timestamp does not fit";
  int32_t offset_delta;
  at = DecodeVarint(at, end, &offset_delta);
  if (at == nullptr) return "its offset does not fit";
  if (offset_delta <= offset_delta_) return "its offset does not increase";
  if (offset_delta > last_offset_delta_) {
    return "its offset is behind the batch's last";
  }
  at = DecodeField(at, end, &fields.key);
  if (at == nullptr) return "its key does not fit";
  at = DecodeField(at, end, &fields.value);
  if (at == nullptr) return "its value does not fit";
  int32_t header_count;
  at = DecodeVarint(at, end, &header_count);
  if (at == nullptr) return "its header count does not fit";
  if (header_count != 0) {
    const char* const wrong = DecodeHeaders(at, end, header_count);
    if (wrong != nullptr) return wrong;
  } else if (at != end) {
    return "its length is not that of its parts";
  } else {
    fields.headers = HeaderRange();
  }

  fields.offset = base_offset_ + offset_delta;
  fields.timestamp_ms = timestamp_type_ == TimestampType::kLogAppendTime
                            ? append_time_ms_
                            : AddWrapping(time_base_ms_, timestamp_delta);
  fields.size_bytes = end - at_;
  offset_delta_ = offset_delta;
  at_ = end;
  return nullptr;
}

const char* RecordCursor::DecodeHeaders(const char* at, const char* end,
                                        int32_t count) {
  // A header takes two bytes or more; so a wrong count cannot cost more than
  // the bytes that are there.
  if (count < 0 || count > (end - at) / 2) {
    return "its header count is out of bounds";
  }
  const std::string_view bytes(at, static_cast<size_t>(end - at));
  Header header;
  for (int32_t i = 0; i < count; ++i) {
    at = DecodeHeader(at, end, &header);
    if (at == nullptr) return "a header does not fit, or its key is null";
  }
  if (at != end) return "its length is not that of its parts";
  record_.fields_.headers = HeaderRange(bytes, count);
  return nullptr;
}

const RecordView* RecordCursor::Fail(std::string_view what) {
  status_ = absl::DataLossError(
      absl::StrCat("record batch at offset ", base_offset_, ", record ", index_,
                   " of ", record_count_, ": ", what));
  return nullptr;
}

}  // namespace varve
