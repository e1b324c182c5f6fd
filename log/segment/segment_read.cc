// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment_read.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/read_errors.h"
#include "varve/log/segment/segment.h"

namespace varve {
namespace {

constexpr int64_t kOffsetMax = std::numeric_limits<int64_t>::max();

absl::Status DamagedError(const Segment& segment, const BatchScanner& scanner,
                          std::optional<int64_t> next_offset) {
  std::string text = absl::StrCat(
      segment.path(), ": position ", scanner.position(), ", offset ",
      scanner.expected_offset(), ": ", ScanStopText(scanner.stop()));
  if (scanner.defect() != BatchDefect::kNone) {
    absl::StrAppend(&text, " (", BatchDefectText(scanner.defect()), ")");
  }
  return DamagedRead(text, next_offset);
}

// Moves `scanner` to the batch that holds the offset, and over damage before
// it.
absl::Status SkipToOffset(const Segment& segment,
                          const SegmentReadOptions& options,
                          BatchScanner& scanner) {
  const int64_t offset = options.offset;
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
      return DamagedError(segment, scanner, options.next_base_offset);
    if (behind->base_offset > offset)
      return DamagedError(segment, scanner, behind->base_offset);
    scanner.Resume(*behind);
  }
}

// Where a walk by headers alone begins. The end of a read before is believed
// only when its batch has this very offset, also where gaps are allowed: a
// header that no CRC was asked for may have led the read there.
BatchPlace QuickStart(const Segment& segment, std::string_view bytes,
                      int64_t offset) {
  const std::optional<BatchPlace> end = segment.read_ends().Find(offset);
  if (end.has_value() &&
      end->position + batch_layout::kRecords <= std::ssize(bytes) &&
      LoadBig64(bytes.data() + end->position + batch_layout::kBaseOffset) ==
          offset)
    return *end;
  return segment.ScanStart(offset, CrcCheck::kSkip);
}

// Steps from batch to batch towards the one that holds `offset`, by the fields
// that say where the next begins, and returns where the checks have to begin:
// at that batch, or, when the offsets do not continue, at the last that they
// lead to. A step costs a tenth of one of the scanner, and a read of one record
// takes a dozen: half of index.interval.bytes.
BatchPlace StrideTo(std::string_view bytes, const BatchPlace& start,
                    int64_t offset) {
  constexpr int64_t kLengthMin =
      batch_layout::kRecords - batch_layout::kLengthEnd;
  constexpr int64_t kDeltaMax = std::numeric_limits<int32_t>::max();
  BatchPlace before = start;
  BatchPlace place = start;
  // As long as neither sum overflows.
  const int64_t end = std::ssize(bytes) - batch_layout::kRecords;
  const int64_t offset_end = std::min(offset, kOffsetMax - kDeltaMax - 1);
  while (place.position <= end && place.base_offset <= offset_end) {
    const char* const at = bytes.data() + place.position;
    if (LoadBig64(at + batch_layout::kBaseOffset) != place.base_offset)
      return before;
    const int64_t length = LoadBig32(at + batch_layout::kBatchLength);
    const int64_t delta = LoadBig32(at + batch_layout::kLastOffsetDelta);
    if (place.base_offset + delta >= offset || delta < 0 ||
        length < kLengthMin || at[batch_layout::kMagic] != kBatchMagic)
      break;
    before = place;
    place.position += batch_layout::kLengthEnd + length;
    place.base_offset += delta + 1;
  }
  return place.position <= std::ssize(bytes) ? place : before;
}

// Whether offsets are missing after `before` for another reason than
// compaction: a wrong length or last offset of it hides the batch that is due.
bool HidesTheNext(const std::optional<RecordBatch>& before,
                  const RecordBatch& batch) {
  return before.has_value() && before->next_offset() != batch.base_offset() &&
         before->ComputeCrc() != before->crc();
}

// The usual way to the batch that holds `offset`: those on the way are judged
// by their headers. Returns false when anything is wrong; `SkipToOffset` with
// every CRC then finds out what.
bool SkipQuickly(const SegmentReadOptions& options, BatchScanner& scanner) {
  const bool verify = options.crc == CrcCheck::kVerify;
  std::optional<RecordBatch> before;
  while (const RecordBatch* batch = scanner.Peek()) {
    if (verify && HidesTheNext(before, *batch)) return false;
    if (batch->last_offset() >= options.offset)
      return !verify || scanner.VerifyCrc();
    before = *batch;
    scanner.Advance();
  }
  return false;
}

// The batch at `scanner`, which is judged already, and those after it that fit.
SegmentSlice TakeBatches(std::string_view bytes,
                         const SegmentReadOptions& options,
                         BatchScanner::Options scan, BatchScanner& scanner) {
  const int64_t begin = scanner.position();
  // Of all batches together.
  int attributes = LoadBig16(bytes.data() + begin + batch_layout::kAttributes);
  scanner.Advance();
  // Without the bytes that may not be read the CRC of a batch that does not fit
  // is not computed.
  const int64_t size = std::clamp(options.max_bytes, scanner.position() - begin,
                                  std::ssize(bytes) - begin);
  scan.crc = options.crc;
  BatchScanner rest(bytes.substr(0, static_cast<size_t>(begin + size)),
                    {.position = scanner.position(),
                     .base_offset = scanner.expected_offset()},
                    scan);
  while (const RecordBatch* batch = rest.Peek()) {
    if (batch->base_offset() >= options.end_offset) break;
    attributes |= batch->attributes();
    rest.Advance();
  }
  return {
      .bytes = bytes.substr(static_cast<size_t>(begin),
                            static_cast<size_t>(rest.position() - begin)),
      .next_offset = rest.expected_offset(),
      .has_compressed = (attributes & batch_attributes::kCompressionMask) != 0};
}

}  // namespace

absl::StatusOr<SegmentSlice> ReadSegment(const Segment& segment,
                                         const SegmentReadOptions& options) {
  DCHECK_LT(options.offset, options.end_offset);
  const std::string_view bytes = segment.visible_bytes();
  BatchScanner::Options scan = {.crc = CrcCheck::kSkip,
                                .continuity = options.continuity,
                                .next_base_offset = options.next_base_offset};
  BatchScanner scanner(
      bytes,
      StrideTo(bytes, QuickStart(segment, bytes, options.offset),
               options.offset),
      scan);
  SegmentSlice slice;
  if (SkipQuickly(options, scanner)) {
    slice = TakeBatches(bytes, options, scan, scanner);
  } else {
    scan.crc = CrcCheck::kVerify;
    BatchScanner careful(bytes, segment.ScanStart(options.offset), scan);
    absl::Status status = SkipToOffset(segment, options, careful);
    if (!status.ok()) return status;
    slice = TakeBatches(bytes, options, scan, careful);
  }
  DCHECK(!slice.bytes.empty());
  segment.read_ends().Note(options.offset,
                           {.position = (slice.bytes.data() - bytes.data()) +
                                        std::ssize(slice.bytes),
                            .base_offset = slice.next_offset});
  return slice;
}

}  // namespace varve
