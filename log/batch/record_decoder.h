// SPDX-License-Identifier: Apache-2.0

// The parts of a record, read from bytes that were not checked before. Every
// function reads only from [at, end) and returns the byte after what it read,
// or nullptr if that does not fit.

#ifndef VARVE_LOG_BATCH_RECORD_DECODER_H_
#define VARVE_LOG_BATCH_RECORD_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "varve/log/batch/record.h"
#include "varve/log/batch/varint.h"

namespace varve {

// A key or value: its size, then its bytes. Any negative size is null.
inline const char* DecodeField(const char* at, const char* end,
                               std::optional<std::string_view>* field) {
  int32_t size;
  at = DecodeVarint(at, end, &size);
  if (at == nullptr) return nullptr;
  if (size < 0) {
    field->reset();
    return at;
  }
  if (size > end - at) return nullptr;
  field->emplace(at, static_cast<size_t>(size));
  return at + size;
}

// A header; its key must not be null.
inline const char* DecodeHeader(const char* at, const char* end,
                                Header* header) {
  std::optional<std::string_view> key;
  at = DecodeField(at, end, &key);
  if (at == nullptr || !key.has_value()) return nullptr;
  header->key = *key;
  return DecodeField(at, end, &header->value);
}

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_DECODER_H_
