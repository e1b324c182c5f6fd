// SPDX-License-Identifier: Apache-2.0

// The size of one record inside a batch, and writing it. Inline, because it is
// a large part of an append of one record.

#ifndef VARVE_LOG_BATCH_RECORD_ENCODER_H_
#define VARVE_LOG_BATCH_RECORD_ENCODER_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "absl/log/check.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/varint.h"

namespace varve {

namespace record_encoder_internal {

inline int64_t FieldSize(std::string_view field) {
  const auto size = static_cast<int64_t>(field.size());
  return VarlongSize(size) + size;
}

inline int64_t FieldSize(const std::optional<std::string_view>& field) {
  return field ? FieldSize(*field) : VarintSize(-1);
}

inline char* EncodeField(std::string_view field, char* at) {
  at = EncodeVarlong(static_cast<int64_t>(field.size()), at);
  if (!field.empty()) std::memcpy(at, field.data(), field.size());
  return at + field.size();
}

inline char* EncodeField(const std::optional<std::string_view>& field,
                         char* at) {
  return field ? EncodeField(*field, at) : EncodeVarint(-1, at);
}

}  // namespace record_encoder_internal

// The size of the record without its own length field. It may exceed what a
// batch can hold: the caller compares it with the limit before it encodes.
inline int64_t RecordBodySize(const Record& record, int64_t timestamp_delta,
                              int32_t offset_delta) {
  using record_encoder_internal::FieldSize;
  const auto header_count = static_cast<int64_t>(record.headers.size());
  int64_t size = 1 + VarlongSize(timestamp_delta) + VarintSize(offset_delta) +
                 FieldSize(record.key) + FieldSize(record.value) +
                 VarlongSize(header_count);
  for (const Header& header : record.headers) {
    size += FieldSize(header.key) + FieldSize(header.value);
  }
  return size;
}

// Writes the record, its length first, and returns the byte after it.
//
// Precondition: `body_size` is RecordBodySize of the same arguments, below
// kBatchSizeMax, and there is room for it and its length.
inline char* EncodeRecord(const Record& record, int64_t timestamp_delta,
                          int32_t offset_delta, int64_t body_size, char* at) {
  using record_encoder_internal::EncodeField;
  at = EncodeVarlong(body_size, at);
  const char* const body = at;
  *at++ = 0;  // attributes
  at = EncodeVarlong(timestamp_delta, at);
  at = EncodeVarint(offset_delta, at);
  at = EncodeField(record.key, at);
  at = EncodeField(record.value, at);
  at = EncodeVarlong(static_cast<int64_t>(record.headers.size()), at);
  for (const Header& header : record.headers) {
    at = EncodeField(header.key, at);
    at = EncodeField(header.value, at);
  }
  DCHECK_EQ(at - body, body_size);
  return at;
}

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_ENCODER_H_
