// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/bare_scan.h"

#include <cstdint>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "bench/bare/bare_batch.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"

namespace varve::bench {
namespace {

const char* DecodeBareVarint(const char* at, int64_t* value) {
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

// Returns the position past the record, and adds the size of its value.
const char* StepOver(const char* at, int64_t* value_bytes) {
  int64_t body = 0;
  at = DecodeBareVarint(at, &body);
  const char* const end = at + body;
  int64_t field = 0;
  at = DecodeBareVarint(at + 1, &field);  // the timestamp, after attributes
  at = DecodeBareVarint(at, &field);      // the offset
  at = DecodeBareVarint(at, &field);      // the key
  if (field > 0) at += field;
  DecodeBareVarint(at, &field);
  if (field > 0) *value_bytes += field;
  return end;
}

}  // namespace

BareScanResult BareScan(std::string_view bytes, CrcCheck crc) {
  BareScanResult result;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at < end) {
    const char* const next = at + 12 + LoadBig32(at + 8);
    if (crc == CrcCheck::kVerify) {
      const absl::crc32c_t computed = absl::ComputeCrc32c(std::string_view(
          at + kBareCrcFrom, static_cast<size_t>(next - at - kBareCrcFrom)));
      CHECK_EQ(static_cast<uint32_t>(computed),
               static_cast<uint32_t>(LoadBig32(at + 17)));
    }
    const int32_t count = LoadBig32(at + 57);
    const char* record = at + kBareHeaderSize;
    for (int32_t i = 0; i < count; ++i) {
      record = StepOver(record, &result.value_bytes);
    }
    result.record_count += count;
    at = next;
  }
  return result;
}

}  // namespace varve::bench
