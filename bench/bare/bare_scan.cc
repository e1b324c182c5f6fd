// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/bare_scan.h"

#include <cstdint>
#include <string_view>

#include "absl/log/check.h"
#include "bench/bare/bare_batch.h"
#include "varve/log/batch/record_batch.h"

namespace varve::bench {

BareScanResult BareScan(std::string_view bytes, CrcCheck crc) {
  BareScanResult result;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at < end) {
    const char* const next = BareBatchEnd(at);
    if (crc == CrcCheck::kVerify) CHECK(HasRightBareCrc(at, next));
    const int32_t count = BareRecordCount(at);
    const char* record = at + kBareHeaderSize;
    for (int32_t i = 0; i < count; ++i) {
      std::string_view value;
      record = DecodeBareRecord(record, &value);
      result.value_bytes += static_cast<int64_t>(value.size());
    }
    result.record_count += count;
    at = next;
  }
  return result;
}

}  // namespace varve::bench
