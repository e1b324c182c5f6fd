// SPDX-License-Identifier: Apache-2.0

// Kafka's record batch, version 2, encoded by the shortest correct code: the
// least that an append can cost. It shares nothing with log/, so that a slower
// encoder there shows.

#ifndef VARVE_BENCH_BARE_BARE_BATCH_H_
#define VARVE_BENCH_BARE_BARE_BATCH_H_

#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "varve/index/big_endian.h"

namespace varve::bench {

inline constexpr int kBareHeaderSize = 61;
inline constexpr int kBareCrcFrom = 21;

// Bytes that a record may take beyond its value.
inline constexpr int kBareRecordOverheadMax = 32;

inline char* EncodeBareVarint(uint64_t value, char* at) {
  value <<= 1;  // zigzag of a value that is never negative
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
  *at++ = static_cast<char>(value);
  return at;
}

inline int BareVarintSize(uint64_t value) {
  int size = 1;
  for (value <<= 1; value >= 0x80; value >>= 7) ++size;
  return size;
}

// A record without key and headers.
inline char* EncodeBareRecord(std::string_view value, uint32_t offset_delta,
                              char* at) {
  // Attributes, timestamp, no key, no headers: a byte each.
  const uint64_t body = 4 +
                        static_cast<uint64_t>(BareVarintSize(offset_delta) +
                                              BareVarintSize(value.size())) +
                        value.size();
  at = EncodeBareVarint(body, at);
  *at++ = 0;
  *at++ = 0;
  at = EncodeBareVarint(offset_delta, at);
  *at++ = 1;  // a null key: -1
  at = EncodeBareVarint(value.size(), at);
  std::memcpy(at, value.data(), value.size());
  at += value.size();
  *at++ = 0;
  return at;
}

// A batch of `count` records of the same value; returns the position past it.
inline char* EncodeBareBatch(std::string_view value, int count,
                             int64_t base_offset, int64_t timestamp_ms,
                             char* at) {
  char* end = at + kBareHeaderSize;
  for (int i = 0; i < count; ++i) {
    end = EncodeBareRecord(value, static_cast<uint32_t>(i), end);
  }
  StoreBig64(at, base_offset);
  StoreBig32(at + 12, 0);  // leader epoch
  at[16] = 2;
  StoreBig16(at + 21, 0);
  StoreBig32(at + 23, count - 1);
  StoreBig64(at + 27, timestamp_ms);
  StoreBig64(at + 35, timestamp_ms);
  std::memset(at + 43, 0xff, 14);  // no producer
  StoreBig32(at + 57, count);
  const auto covered = static_cast<size_t>(end - at - kBareCrcFrom);
  const absl::crc32c_t crc =
      absl::ComputeCrc32c(std::string_view(at + kBareCrcFrom, covered));
  StoreBig32(at + 17, static_cast<int32_t>(static_cast<uint32_t>(crc)));
  StoreBig32(at + 8, static_cast<int32_t>(end - at - 12));
  return end;
}

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_BARE_BATCH_H_
