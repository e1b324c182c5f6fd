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

// Reads a varint of one or two bytes, both of which are there. Null for a
// longer one.
inline const char* DecodeShort(const char* at, uint32_t* raw) {
  const uint32_t first = static_cast<uint8_t>(at[0]);
  if (first < 0x80) {
    *raw = first;
    return at + 1;
  }
  const uint32_t second = static_cast<uint8_t>(at[1]);
  *raw = (first & 0x7f) | second << 7;
  return second < 0x80 ? at + 2 : nullptr;
}

// Of a size: of a record, a key or a value. Any negative one of these is null.
inline bool IsNegative(uint32_t raw) { return (raw & 1) != 0; }

// Decodes the record that begins [at, end), if it is what nearly all are: its
// sizes have one or two bytes each, its value is not null, and it has no
// headers. Returns false for any other, and for one with anything wrong, and
// has then changed some of the fields. Offset and timestamp are the deltas.
//
// A bound is checked once for several integers: what has to follow them in the
// record anyway is there.
inline bool DecodeUsual(const char* at, const char* end,
                        RecordView::Fields* fields) {
  constexpr uint32_t kNull = ZigZag32(-1);
  if (end - at < 3) return false;
  const char* const begin = at;
  uint32_t size;
  at = DecodeShort(at, &size);
  if (at == nullptr || IsNegative(size)) return false;
  size /= 2;
  if (size < 1 || size > end - at) return false;
  end = at + size;
  at = DecodeVarlong(at + 1, end, &fields->timestamp_ms);
  // Offset, size of the key, size of the value and count of the headers.
  if (at == nullptr || end - at < 4) return false;
  uint32_t offset_delta;
  at = DecodeShort(at, &offset_delta);
  if (at == nullptr) return false;
  uint32_t key_size;
  at = DecodeShort(at, &key_size);
  if (at == nullptr || (IsNegative(key_size) && key_size != kNull))
    return false;
  const bool has_key = key_size != kNull;
  key_size /= 2;
  // Size of the value and count of the headers.
  if (end - at < int64_t{key_size} + 2) return false;
  if (has_key) {
    fields->key.emplace(at, key_size);
  } else {
    fields->key.reset();
  }
  uint32_t value_size;
  at = DecodeShort(at + key_size, &value_size);
  if (at == nullptr || IsNegative(value_size)) return false;
  value_size /= 2;
  if (end - at != int64_t{value_size} + 1 || *(end - 1) != 0) return false;
  fields->value.emplace(at, value_size);
  if (!fields->headers.empty()) fields->headers = HeaderRange();
  fields->offset = UnZigZag32(offset_delta);
  fields->size_bytes = end - begin;
  return true;
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
  RecordView::Fields& fields = record_.fields_;
  const bool is_usual = DecodeUsual(at_, end_, &fields) &&
                        fields.offset > offset_delta_ &&
                        fields.offset <= last_offset_delta_;
  if (!is_usual) {
    if (const char* wrong = DecodeRecord()) return Fail(wrong);
  }
  at_ += fields.size_bytes;
  offset_delta_ = static_cast<int32_t>(fields.offset);
  fields.offset += base_offset_;
  fields.timestamp_ms = timestamp_type_ == TimestampType::kLogAppendTime
                            ? append_time_ms_
                            : AddWrapping(time_base_ms_, fields.timestamp_ms);
  ++index_;
  return &record_;
}

// Any record, and what is wrong with it. Offset and timestamp are the deltas.
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

  fields.offset = offset_delta;
  fields.timestamp_ms = timestamp_delta;
  fields.size_bytes = end - at_;
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
