// SPDX-License-Identifier: Apache-2.0

#include "log/largest_timestamp.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "index/time_index.h"
#include "log/batch_scanner.h"
#include "log/record_batch.h"
#include "log/segment.h"
#include "log/segment_read.h"

namespace varve {
namespace {

constexpr BatchScanner::Options kHeadersOnly = {
    .crc = CrcCheck::kSkip, .continuity = Continuity::kGapsAllowed};

// The batch of the last entry of the time index; the front when there is none
// or they do not agree.
BatchPlace FindLastEntry(const Segment& segment) {
  const BatchPlace front = {.position = 0,
                            .base_offset = segment.base_offset()};
  const TimestampOffset entry =
      segment.LookupTime(std::numeric_limits<int64_t>::max()).found;
  if (entry.timestamp_ms < 0) return front;
  // The start first: it may be in a batch that was not visible before.
  const BatchPlace start = FindScanStart(segment, entry.offset);
  BatchScanner scanner(segment.visible_bytes(), start, kHeadersOnly);
  while (const RecordBatch* batch = scanner.Peek()) {
    if (batch->last_offset() >= entry.offset) {
      const bool agrees = batch->last_offset() == entry.offset &&
                          batch->max_timestamp_ms() == entry.timestamp_ms;
      return agrees ? BatchPlace{.position = scanner.position(),
                                 .base_offset = batch->base_offset()}
                    : front;
    }
    scanner.Advance();
  }
  return front;
}

}  // namespace

int64_t FindLargestTimestamp(const Segment& segment) {
  int64_t largest_ms = kNoTimestamp;
  // The start first: it may be in a batch that was not visible before.
  const BatchPlace start = FindLastEntry(segment);
  BatchScanner scanner(segment.visible_bytes(), start, kHeadersOnly);
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
