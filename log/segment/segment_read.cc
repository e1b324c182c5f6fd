// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment_read.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/read_errors.h"
#include "varve/log/segment/segment.h"

namespace varve {
namespace {

absl::Status DamagedError(const Segment& segment, const BatchScanner& scanner,
                          std::optional<int64_t> next_offset) {
  std::string text = absl::StrCat(
      segment.path(), ": position ", scanner.position(), ", offset ",
      scanner.expected_offset(), ": ", ScanStopText(scanner.stop()));
  if (scanner.defect() != BatchDefect::kNone) {
    absl::StrAppend(&text, " (", BatchDefectText(scanner.defect()), ")");
  }
  if (next_offset.has_value()) {
    absl::StrAppend(&text, NextReadableText(*next_offset));
  }
  return absl::DataLossError(text);
}

// Moves `scanner` to the batch that holds `offset`, and over damage before it.
absl::Status SkipToOffset(const Segment& segment, int64_t offset,
                          BatchScanner& scanner) {
  while (true) {
    const RecordBatch* batch = scanner.Peek();
    if (batch != nullptr) {
      if (batch->last_offset() >= offset) return absl::OkStatus();
      scanner.Advance();
      continue;
    }
    if (scanner.stop() == ScanStop::kEnd) {
      return absl::NotFoundError("after the last batch of the segment");
    }
    const std::optional<BatchPlace> behind = scanner.FindBatchBehind();
    if (!behind.has_value())
      return DamagedError(segment, scanner, std::nullopt);
    if (behind->base_offset > offset)
      return DamagedError(segment, scanner, behind->base_offset);
    scanner.Resume(*behind);
  }
}

// The usual way to the batch that holds `offset`: only that batch's CRC is
// verified, those on the way are judged by their headers. Returns false when
// anything is wrong; `SkipToOffset` with every CRC then finds out what.
bool SkipQuickly(std::string_view bytes, const BatchPlace& start,
                 const SegmentReadOptions& options, BatchPlace* found) {
  BatchScanner scanner(
      bytes, start, {.crc = CrcCheck::kSkip, .continuity = options.continuity});
  while (const RecordBatch* batch = scanner.Peek()) {
    if (batch->last_offset() >= options.offset) {
      *found = {.position = scanner.position(),
                .base_offset = scanner.expected_offset()};
      int64_t size = 0;
      return options.crc == CrcCheck::kSkip ||
             RecordBatch::Check(batch->bytes(), CrcCheck::kVerify,
                                batch->size(), &size) == BatchDefect::kNone;
    }
    scanner.Advance();
  }
  return false;
}

}  // namespace

absl::StatusOr<SegmentSlice> ReadSegment(const Segment& segment,
                                         const SegmentReadOptions& options) {
  DCHECK_LT(options.offset, options.end_offset);
  const std::string_view bytes = segment.visible_bytes();
  const BatchPlace start = FindScanStart(segment, options.offset);
  BatchPlace found = start;
  const bool quick = SkipQuickly(bytes, start, options, &found);
  BatchScanner scanner(bytes, quick ? found : start,
                       {.crc = quick ? options.crc : CrcCheck::kVerify,
                        .continuity = options.continuity,
                        .next_base_offset = options.next_base_offset});
  if (!quick) {
    absl::Status status = SkipToOffset(segment, options.offset, scanner);
    if (!status.ok()) return status;
  }
  const int64_t begin = scanner.position();
  SegmentSlice slice;
  while (const RecordBatch* batch = scanner.Peek()) {
    const int64_t size = scanner.position() + batch->size() - begin;
    const bool enough =
        size > options.max_bytes || batch->base_offset() >= options.end_offset;
    if (!slice.bytes.empty() && enough) break;
    slice.bytes =
        bytes.substr(static_cast<size_t>(begin), static_cast<size_t>(size));
    slice.next_offset = batch->next_offset();
    scanner.Advance();
  }
  return slice;
}

}  // namespace varve
