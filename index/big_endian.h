// SPDX-License-Identifier: Apache-2.0

// Big-endian integers at any address, as Kafka's files hold them.

#ifndef VARVE_INDEX_BIG_ENDIAN_H_
#define VARVE_INDEX_BIG_ENDIAN_H_

#include <bit>
#include <cstdint>
#include <cstring>

namespace varve {

static_assert(std::endian::native == std::endian::little,
              "varve is built for x86-64 and little-endian arm64");

inline int16_t LoadBig16(const char* at) {
  uint16_t raw;
  std::memcpy(&raw, at, sizeof raw);
  return static_cast<int16_t>(__builtin_bswap16(raw));
}

inline int32_t LoadBig32(const char* at) {
  uint32_t raw;
  std::memcpy(&raw, at, sizeof raw);
  return static_cast<int32_t>(__builtin_bswap32(raw));
}

inline int64_t LoadBig64(const char* at) {
  uint64_t raw;
  std::memcpy(&raw, at, sizeof raw);
  return static_cast<int64_t>(__builtin_bswap64(raw));
}

inline void StoreBig16(char* at, int16_t value) {
  const uint16_t raw = __builtin_bswap16(static_cast<uint16_t>(value));
  std::memcpy(at, &raw, sizeof raw);
}

inline void StoreBig32(char* at, int32_t value) {
  const uint32_t raw = __builtin_bswap32(static_cast<uint32_t>(value));
  std::memcpy(at, &raw, sizeof raw);
}

inline void StoreBig64(char* at, int64_t value) {
  const uint64_t raw = __builtin_bswap64(static_cast<uint64_t>(value));
  std::memcpy(at, &raw, sizeof raw);
}

}  // namespace varve

#endif  // VARVE_INDEX_BIG_ENDIAN_H_
