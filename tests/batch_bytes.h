// SPDX-License-Identifier: Apache-2.0

// Batches that no writer makes: bytes changed by hand, and the length and CRC
// made right again, so that a test reaches what lies behind those checks.

#ifndef VARVE_TESTS_BATCH_BYTES_H_
#define VARVE_TESTS_BATCH_BYTES_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "index/big_endian.h"
#include "log/record_batch.h"

namespace varve {

// `bytes`, at least a header, with its CRC made right.
inline std::string WithCrc(std::string bytes) {
  const auto crc = static_cast<uint32_t>(absl::ComputeCrc32c(
      std::string_view(bytes).substr(batch_layout::kAttributes)));
  StoreBig32(bytes.data() + batch_layout::kCrc, static_cast<int32_t>(crc));
  return bytes;
}

// The header of `batch` with other records behind it; length, CRC and record
// count say so.
inline std::string WithRecords(const RecordBatch& batch,
                               std::string_view records, int32_t count) {
  std::string bytes(batch.bytes().substr(0, batch_layout::kRecords));
  bytes.append(records);
  StoreBig32(bytes.data() + batch_layout::kBatchLength,
             static_cast<int32_t>(bytes.size() - batch_layout::kLengthEnd));
  StoreBig32(bytes.data() + batch_layout::kRecordCount, count);
  return WithCrc(bytes);
}

}  // namespace varve

#endif  // VARVE_TESTS_BATCH_BYTES_H_
