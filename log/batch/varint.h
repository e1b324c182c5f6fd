// SPDX-License-Identifier: Apache-2.0

// Kafka's variable-length integers: zigzag, then seven bits a byte, lowest
// first, the high bit set on every byte but the last. A varint holds an int32
// in one to five bytes, a varlong an int64 in one to ten.

#ifndef VARVE_LOG_BATCH_VARINT_H_
#define VARVE_LOG_BATCH_VARINT_H_

#include <bit>
#include <cstdint>
#include <limits>

namespace varve {

inline constexpr int kVarintSizeMax = 5;
inline constexpr int kVarlongSizeMax = 10;

constexpr uint32_t ZigZag32(int32_t value) {
  return (static_cast<uint32_t>(value) << 1) ^
         static_cast<uint32_t>(value >> 31);
}
constexpr uint64_t ZigZag64(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^
         static_cast<uint64_t>(value >> 63);
}
constexpr int32_t UnZigZag32(uint32_t raw) {
  return static_cast<int32_t>((raw >> 1) ^ (0 - (raw & 1)));
}
constexpr int64_t UnZigZag64(uint64_t raw) {
  return static_cast<int64_t>((raw >> 1) ^ (0 - (raw & 1)));
}

static_assert(UnZigZag32(ZigZag32(std::numeric_limits<int32_t>::min())) ==
              std::numeric_limits<int32_t>::min());
static_assert(UnZigZag64(ZigZag64(std::numeric_limits<int64_t>::min())) ==
              std::numeric_limits<int64_t>::min());

// How many bytes `value` takes. A value that fits an int32 takes as many bytes
// as a varlong as it does as a varint, so this serves both.
constexpr int VarlongSize(int64_t value) {
  return (static_cast<int>(std::bit_width(ZigZag64(value) | 1)) * 9 + 64) / 64;
}
constexpr int VarintSize(int32_t value) { return VarlongSize(value); }

static_assert(VarintSize(std::numeric_limits<int32_t>::min()) ==
              kVarintSizeMax);
static_assert(VarlongSize(std::numeric_limits<int64_t>::min()) ==
              kVarlongSizeMax);

namespace varint_internal {
const char* DecodeSlow(const char* at, const char* end, uint32_t* raw);
const char* DecodeSlow(const char* at, const char* end, uint64_t* raw);

// Decodes one and two bytes, which are nearly all there are, without a call.
template <typename Unsigned>
inline const char* Decode(const char* at, const char* end, Unsigned* raw) {
  if (at == end) return nullptr;
  const auto first = static_cast<uint8_t>(at[0]);
  if (first < 0x80) {
    *raw = first;
    return at + 1;
  }
  if (end - at < 2) return DecodeSlow(at, end, raw);
  const auto second = static_cast<uint8_t>(at[1]);
  if (second >= 0x80) return DecodeSlow(at, end, raw);
  *raw = (first & 0x7fU) | static_cast<Unsigned>(second) << 7;
  return at + 2;
}
}  // namespace varint_internal

// Writes `value` at `at`, in its shortest form, and returns the byte after it.
// Precondition: there is room for its size.
inline char* EncodeVarlong(int64_t value, char* at) {
  uint64_t raw = ZigZag64(value);
  for (; raw >= 0x80; raw >>= 7) *at++ = static_cast<char>(raw | 0x80);
  *at++ = static_cast<char>(raw);
  return at;
}
inline char* EncodeVarint(int32_t value, char* at) {
  return EncodeVarlong(value, at);
}

// Reads one value from [at, end) and returns the byte after it, or nullptr (and
// `*value` unchanged) if the bytes end before the value does, or the value does
// not end within five (ten) bytes.
//
// As in Kafka, a longer form than necessary is accepted, and bits of the last
// byte that do not fit the type are dropped. No writer makes either.
inline const char* DecodeVarint(const char* at, const char* end,
                                int32_t* value) {
  uint32_t raw;
  at = varint_internal::Decode(at, end, &raw);
  if (at != nullptr) *value = UnZigZag32(raw);
  return at;
}
inline const char* DecodeVarlong(const char* at, const char* end,
                                 int64_t* value) {
  uint64_t raw;
  at = varint_internal::Decode(at, end, &raw);
  if (at != nullptr) *value = UnZigZag64(raw);
  return at;
}

}  // namespace varve

#endif  // VARVE_LOG_BATCH_VARINT_H_
