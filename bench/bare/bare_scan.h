// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_BARE_SCAN_H_
#define VARVE_BENCH_BARE_BARE_SCAN_H_

#include <cstdint>
#include <string_view>

#include "varve/log/batch/record_batch.h"

namespace varve::bench {

struct BareScanResult {
  int64_t record_count = 0;
  int64_t value_bytes = 0;
};

// The bare loop that scans are measured against: steps through the batches in
// `bytes`, which must be valid, and through the values of their records. It
// checks the CRC if asked to, and nothing else.
BareScanResult BareScan(std::string_view bytes, CrcCheck crc);

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_BARE_SCAN_H_
