// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/varint.h"

namespace varve::varint_internal {
namespace {

template <typename Unsigned, int kSizeMax>
const char* DecodeLoop(const char* at, const char* end, Unsigned* raw) {
  Unsigned value = 0;
  for (int i = 0; i < kSizeMax && at != end; ++i) {
    const auto byte = static_cast<uint8_t>(*at++);
    value |= static_cast<Unsigned>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *raw = value;
      return at;
    }
  }
  return nullptr;
}

}  // namespace

const char* DecodeSlow(const char* at, const char* end, uint32_t* raw) {
  return DecodeLoop<uint32_t, kVarintSizeMax>(at, end, raw);
}

const char* DecodeSlow(const char* at, const char* end, uint64_t* raw) {
  return DecodeLoop<uint64_t, kVarlongSizeMax>(at, end, raw);
}

}  // namespace varve::varint_internal
