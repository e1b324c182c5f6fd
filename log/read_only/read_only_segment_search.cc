// SPDX-License-Identifier: Apache-2.0

#include "varve/log/read_only/read_only_segment_search.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/index/big_endian.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/read_only/read_only_segment_read.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/segment/index_file_search.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr int64_t kNoOffset = std::numeric_limits<int64_t>::max();

// A segment's last index entry is not further from its end than this, except
// with large batches; without an entry there, the proof would cost too much.
constexpr int64_t kSealProofMax = int64_t{4} << 20;

absl::StatusOr<std::optional<OffsetPosition>> LookUp(
    Directory& directory, const ReadOnlySegment& segment, int64_t offset) {
  absl::StatusOr<std::unique_ptr<File>> index = directory.OpenFile(
      SegmentFileName(segment.base_offset(), SegmentFileKind::kIndex),
      OpenMode::kRead);
  // The index is a cache, and is created after its segment.
  if (absl::IsNotFound(index.status())) return std::nullopt;
  if (!index.ok()) return index.status();
  return FindOffsetEntry(**index, segment.base_offset(), offset);
}

// The place that an entry names, if its batch ends at the entry's offset by
// what its header says. A read from there checks the batch.
std::optional<BatchPlace> PlaceOf(const ReadOnlySegment& segment,
                                  const OffsetPosition& entry,
                                  std::string_view header) {
  // A damaged entry may lie beyond the largest offset.
  if (entry.offset < segment.base_offset() ||
      header.size() < batch_layout::kRecords ||
      header[batch_layout::kMagic] != kBatchMagic)
    return std::nullopt;
  const int64_t base_offset =
      LoadBig64(header.data() + batch_layout::kBaseOffset);
  const int32_t delta =
      LoadBig32(header.data() + batch_layout::kLastOffsetDelta);
  if (delta < 0 || base_offset != entry.offset - delta ||
      base_offset < segment.base_offset())
    return std::nullopt;
  return BatchPlace{.position = entry.position, .base_offset = base_offset};
}

}  // namespace

absl::StatusOr<BatchPlace> FindReadOnlyPlace(Directory& directory,
                                             const ReadOnlySegment& segment,
                                             int64_t offset) {
  const BatchPlace front = {.position = 0,
                            .base_offset = segment.base_offset()};
  absl::StatusOr<std::optional<OffsetPosition>> entry =
      LookUp(directory, segment, offset);
  if (!entry.ok()) return entry.status();
  if (!entry->has_value()) return front;
  absl::StatusOr<ReadOnlySegment::Piece> header =
      segment.ReadBytes((*entry)->position, batch_layout::kRecords);
  if (!header.ok()) return header.status();
  return PlaceOf(segment, **entry, header->bytes).value_or(front);
}

absl::StatusOr<std::optional<BatchPlace>> FindLiveBatchOf(
    Directory& directory, const ReadOnlySegment& segment,
    const TimestampOffset& entry) {
  if (entry.timestamp_ms < 0) return std::nullopt;
  absl::StatusOr<BatchPlace> place =
      FindReadOnlyPlace(directory, segment, entry.offset);
  if (!place.ok()) return place.status();
  absl::StatusOr<ReadOnlySlice> slice = ReadReadOnlyBatches(
      segment, *place,
      {.offset = entry.offset, .continuity = Continuity::kGapsAllowed});
  if (!slice.ok()) return slice.status();
  if (slice->bytes.empty()) return std::nullopt;
  const RecordBatch batch(slice->bytes);
  if (batch.last_offset() != entry.offset ||
      batch.max_timestamp_ms() != entry.timestamp_ms) {
    return std::nullopt;
  }
  return BatchPlace{.position = slice->next.position - batch.size(),
                    .base_offset = batch.base_offset()};
}

absl::StatusOr<bool> IsSealed(Directory& directory,
                              const ReadOnlySegment& segment,
                              int64_t next_base_offset) {
  absl::StatusOr<BatchPlace> last =
      FindReadOnlyPlace(directory, segment, kNoOffset);
  if (!last.ok()) return last.status();
  absl::StatusOr<int64_t> size = segment.Size();
  if (!size.ok()) return size.status();
  if (*size == 0 || *size - last->position > kSealProofMax) return false;
  absl::StatusOr<ReadOnlySlice> walk =
      ReadReadOnlyBatches(segment, *last,
                          {.offset = kNoOffset,
                           .window_bytes = *size - last->position,
                           .continuity = Continuity::kGapsAllowed});
  if (!walk.ok()) return walk.status();
  return walk->stop == ScanStop::kEnd && walk->next.position == *size &&
         walk->next.base_offset <= next_base_offset;
}

absl::StatusOr<std::optional<BatchPlace>> FindLiveBatchBehind(
    const ReadOnlySegment& segment, const BatchPlace& stop,
    Continuity continuity) {
  absl::StatusOr<int64_t> size = segment.Size();
  if (!size.ok()) return size.status();
  const int64_t end = std::min(*size, stop.position + kSearchWindowMax);
  if (end <= stop.position) return std::nullopt;
  FileBatchScanner scanner(segment.file(), end, stop,
                           {.continuity = continuity});
  // The batch at the stop may be whole by now, if the writer has just finished
  // it.
  const bool found = scanner.Peek() != nullptr || scanner.ResumeBehind();
  if (!scanner.status().ok()) return scanner.status();
  if (!found) return std::nullopt;
  return BatchPlace{.position = scanner.position(),
                    .base_offset = scanner.expected_offset()};
}

}  // namespace varve
