// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/largest_timestamp.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "varve/index/time_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/time_search.h"

namespace varve {

int64_t FindLargestTimestamp(const Segment& segment) {
  int64_t largest_ms = kNoTimestamp;
  const TimestampOffset last =
      segment.LookupTime(std::numeric_limits<int64_t>::max()).found;
  // The start first: it may be in a batch that was not visible before.
  const BatchPlace start =
      FindBatchOf(segment, last, CrcCheck::kSkip)
          .value_or(
              BatchPlace{.position = 0, .base_offset = segment.base_offset()});
  BatchScanner scanner(
      segment.visible_bytes(), start,
      {.crc = CrcCheck::kSkip, .continuity = Continuity::kGapsAllowed});
  while (true) {
    while (const RecordBatch* batch = scanner.Peek()) {
      largest_ms = std::max(largest_ms, batch->max_timestamp_ms());
      scanner.Advance();
    }
    const std::optional<BatchPlace> behind = scanner.FindBatchBehind();
    if (!behind.has_value()) return largest_ms;
    scanner.Resume(*behind);
  }
}

}  // namespace varve
