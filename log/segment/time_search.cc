// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/time_search.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"

namespace varve {
namespace {

// Where the scan begins: after the batches that the time index rules out. Two
// entries have to agree with their batches, and the earlier batch is taken: a
// single one may hide others by a flipped bit (TimeIndex::LookupPair).
BatchPlace FindTimeScanStart(const Segment& segment, int64_t timestamp_ms) {
  const TimeIndex::Pair entries = segment.LookupTime(timestamp_ms);
  const std::optional<BatchPlace> before =
      FindBatchOf(segment, entries.before, CrcCheck::kVerify);
  const std::optional<BatchPlace> found =
      before.has_value()
          ? FindBatchOf(segment, entries.found, CrcCheck::kVerify)
          : std::nullopt;
  if (!found.has_value()) {
    return {.position = 0, .base_offset = segment.base_offset()};
  }
  return before->position < found->position ? *before : *found;
}

}  // namespace

std::optional<int64_t> FindInBatch(const RecordBatch& batch,
                                   const TimeSearch& search,
                                   ByteBuffer& scratch) {
  if (batch.max_timestamp_ms() < search.timestamp_ms ||
      batch.last_offset() < search.begin_offset || batch.is_control()) {
    return std::nullopt;
  }
  const int64_t begin = std::max(search.begin_offset, batch.base_offset());
  const absl::StatusOr<std::string_view> records =
      PlainRecords(batch, search.codecs, scratch);
  if (!records.ok()) return begin;
  RecordCursor cursor(batch, *records);
  while (const RecordView* record = cursor.Next()) {
    if (record->offset() >= begin &&
        record->timestamp_ms() >= search.timestamp_ms) {
      return record->offset();
    }
  }
  return std::nullopt;
}

std::optional<int64_t> FindOffsetForTime(const Segment& segment,
                                         const TimeSearch& search) {
  CHECK_LT(search.begin_offset, search.end_offset);
  // The start first: it may be in a batch that was not visible before.
  const BatchPlace start = FindTimeScanStart(segment, search.timestamp_ms);
  BatchScanner scanner(segment.visible_bytes(), start,
                       {.continuity = Continuity::kGapsAllowed});
  ByteBuffer scratch;
  while (true) {
    while (const RecordBatch* batch = scanner.Peek()) {
      if (batch->base_offset() >= search.end_offset) return std::nullopt;
      const std::optional<int64_t> found = FindInBatch(*batch, search, scratch);
      if (found.has_value()) return found;
      scanner.Advance();
    }
    const std::optional<BatchPlace> behind = scanner.FindBatchBehind();
    if (!behind.has_value()) return std::nullopt;
    scanner.Resume(*behind);
  }
}

std::optional<BatchPlace> FindBatchOf(const Segment& segment,
                                      const TimestampOffset& entry,
                                      CrcCheck crc) {
  if (entry.timestamp_ms < 0) return std::nullopt;
  // The start first: it may be in a batch that was not visible before.
  const BatchPlace start = segment.ScanStart(entry.offset);
  BatchScanner scanner(segment.visible_bytes(), start,
                       {.crc = crc, .continuity = Continuity::kGapsAllowed});
  while (const RecordBatch* batch = scanner.Peek()) {
    if (batch->last_offset() >= entry.offset) {
      if (batch->last_offset() != entry.offset ||
          batch->max_timestamp_ms() != entry.timestamp_ms) {
        return std::nullopt;
      }
      return BatchPlace{.position = scanner.position(),
                        .base_offset = batch->base_offset()};
    }
    scanner.Advance();
  }
  return std::nullopt;
}

}  // namespace varve
