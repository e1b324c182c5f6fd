// SPDX-License-Identifier: Apache-2.0

// Kafka's record batch, version 2, encoded, checked and decoded by the shortest
// correct code: the least that an append and a read can cost. It shares nothing
// with log/, so that slower code there shows.

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

inline const char* DecodeBareVarint(const char* at, int64_t* value) {
  uint64_t raw = 0;
  int shift = 0;
  while ((*at & 0x80) != 0) {
    raw |= static_cast<uint64_t>(*at++ & 0x7f) << shift;
    shift += 7;
  }
  raw |= static_cast<uint64_t>(*at++) << shift;
  *value = static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
  return at;
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

// Finds the value of a record; returns the position past the record.
inline const char* DecodeBareRecord(const char* at, std::string_view* value) {
  int64_t body = 0;
  at = DecodeBareVarint(at, &body);
  const char* const end = at + body;
  int64_t field = 0;
  at = DecodeBareVarint(at + 1, &field);  // the timestamp, after attributes
  at = DecodeBareVarint(at, &field);      // the offset
  at = DecodeBareVarint(at, &field);      // the key
  if (field > 0) at += field;
  at = DecodeBareVarint(at, &field);
  *value = {at, static_cast<size_t>(field > 0 ? field : 0)};
  return end;
}

// Returns the position past the record.
inline const char* SkipBareRecord(const char* at) {
  int64_t body = 0;
  at = DecodeBareVarint(at, &body);
  return at + body;
}

// The CRC that the bytes of a batch have, without its first fields.
inline int32_t ComputeBareCrc(const char* batch, const char* end) {
  const auto covered = static_cast<size_t>(end - batch - kBareCrcFrom);
  const absl::crc32c_t crc =
      absl::ComputeCrc32c(std::string_view(batch + kBareCrcFrom, covered));
  return static_cast<int32_t>(static_cast<uint32_t>(crc));
}

// The fields of a batch that a reader looks at.
inline const char* BareBatchEnd(const char* batch) {
  return batch + 12 + LoadBig32(batch + 8);
}
inline bool HasRightBareCrc(const char* batch, const char* end) {
  return ComputeBareCrc(batch, end) == LoadBig32(batch + 17);
}
inline int32_t BareRecordCount(const char* batch) {
  return LoadBig32(batch + 57);
}

// Bytes of a batch of `count` records with values of `value_size` bytes.
inline int64_t BareBatchSize(int64_t value_size, int count) {
  int64_t size = kBareHeaderSize;
  for (int i = 0; i < count; ++i) {
    const int64_t body = 4 + BareVarintSize(static_cast<uint64_t>(i)) +
                         BareVarintSize(static_cast<uint64_t>(value_size)) +
                         value_size;
    size += BareVarintSize(static_cast<uint64_t>(body)) + body;
  }
  return size;
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
  StoreBig32(at + 17, ComputeBareCrc(at, end));
  StoreBig32(at + 8, static_cast<int32_t>(end - at - 12));
  return end;
}

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_BARE_BATCH_H_
