// SPDX-License-Identifier: Apache-2.0

#include "varve/log/read_only/read_only_segment_read.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {
namespace {

static_assert(kReadWindowMin >= batch_layout::kRecords,
              "the header of a larger batch is in any window");

// How much is taken of a piece.
struct Taken {
  int64_t bytes = 0;
  int64_t compressed_bytes = 0;  // of compressed batches

  bool HasRoomFor(const RecordBatch& batch,
                  const ReadOnlyReadOptions& options) const {
    if (bytes == 0) return true;
    if (bytes + batch.size() > options.max_bytes) return false;
    return batch.compression() == Compression::kNone ||
           compressed_bytes + batch.size() <= options.compressed_max_bytes;
  }
  void Add(const RecordBatch& batch) {
    bytes += batch.size();
    if (batch.compression() != Compression::kNone)
      compressed_bytes += batch.size();
  }
};

// Where the scan of a piece, which begins at `slice.next`, has ended.
void NoteEnd(const BatchScanner& scanner, ReadOnlySlice& slice) {
  slice.next = {.position = slice.next.position + scanner.position(),
                .base_offset = scanner.expected_offset()};
  slice.stop = scanner.stop();
  slice.defect = scanner.defect();
  if (slice.defect == BatchDefect::kZeros) slice.stop = ScanStop::kZeros;
}

// Takes the batches at `start`, of which the first is checked, as far as they
// fit.
void TakeBatches(const ReadOnlySegment::Piece& piece, const BatchPlace& start,
                 CrcCheck crc, const ReadOnlyReadOptions& options,
                 ReadOnlySlice& slice) {
  // Whether a batch fits is known before its CRC is.
  BatchScanner scanner(
      piece.bytes, start,
      {.crc = CrcCheck::kSkip, .continuity = options.continuity});
  Taken taken;
  while (const RecordBatch* batch = scanner.Peek()) {
    if (!taken.HasRoomFor(*batch, options)) break;
    const bool is_checked = taken.bytes == 0 || crc == CrcCheck::kSkip;
    if (!is_checked && !scanner.VerifyCrc()) break;
    taken.Add(*batch);
    scanner.Advance();
  }
  slice.bytes = piece.bytes.substr(static_cast<size_t>(start.position),
                                   static_cast<size_t>(taken.bytes));
  slice.pin = piece.pin;
  slice.has_compressed = taken.compressed_bytes > 0;
  NoteEnd(scanner, slice);
}

// Scans the piece, which begins at `slice.next`.
void ScanPiece(const ReadOnlySegment::Piece& piece, CrcCheck crc,
               const ReadOnlyReadOptions& options, ReadOnlySlice& slice) {
  BatchScanner scanner(piece.bytes,
                       {.position = 0, .base_offset = slice.next.base_offset},
                       {.crc = crc, .continuity = options.continuity});
  while (const RecordBatch* batch = scanner.Peek()) {
    if (batch->last_offset() >= options.offset) {
      TakeBatches(piece,
                  {.position = scanner.position(),
                   .base_offset = scanner.expected_offset()},
                  crc, options, slice);
      return;
    }
    scanner.Advance();
  }
  NoteEnd(scanner, slice);
}

// The size of the batch that begins the piece and is larger than it. 0 when
// the header is not that of the next batch: its length means nothing.
int64_t ClaimedSize(std::string_view bytes, int64_t expected_offset,
                    Continuity continuity) {
  if (bytes.size() < batch_layout::kRecords) return 0;
  const int64_t base_offset =
      LoadBig64(bytes.data() + batch_layout::kBaseOffset);
  const bool continues = continuity == Continuity::kExact
                             ? base_offset == expected_offset
                             : base_offset >= expected_offset;
  if (!continues || bytes[batch_layout::kMagic] != kBatchMagic) return 0;
  return int64_t{LoadBig32(bytes.data() + batch_layout::kBatchLength)} +
         batch_layout::kLengthEnd;
}

}  // namespace

absl::StatusOr<ReadOnlySlice> ReadReadOnlyBatches(
    const ReadOnlySegment& segment, const BatchPlace& start,
    const ReadOnlyReadOptions& options) {
  const CrcCheck crc = segment.is_mapped() ? options.crc : CrcCheck::kVerify;
  ReadOnlySlice slice = {.pin = nullptr, .bytes = {}, .next = start};
  int64_t window = std::max(options.window_bytes, kReadWindowMin);
  while (true) {
    const int64_t begin = slice.next.position;
    absl::StatusOr<ReadOnlySegment::Piece> piece =
        segment.ReadBytes(begin, window);
    if (!piece.ok()) return piece.status();
    ScanPiece(*piece, crc, options, slice);
    if (!slice.bytes.empty() || piece->reaches_end) return slice;
    if (slice.next.position > begin) {
      // The scan has reached the end of the piece, perhaps inside a batch.
      window = std::max(window, std::min(2 * window, kReadWindowMax));
      continue;
    }
    if (slice.defect != BatchDefect::kTruncated) return slice;
    const int64_t claimed =
        ClaimedSize(piece->bytes, slice.next.base_offset, options.continuity);
    absl::StatusOr<int64_t> size = segment.Size();
    if (!size.ok()) return size.status();
    if (claimed <= window || claimed > *size - begin) return slice;
    window = claimed;
  }
}

}  // namespace varve
