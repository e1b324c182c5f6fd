// SPDX-License-Identifier: Apache-2.0

#include "varve/log/read_only/read_only_time_search.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/read_only/read_only_segment_read.h"
#include "varve/log/read_only/read_only_segment_search.h"
#include "varve/log/segment/index_file_search.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/segment/time_search.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Null when there is none: the index is only a cache.
absl::StatusOr<std::unique_ptr<File>> OpenTimeIndex(ReadOnlyLog& log,
                                                    int64_t base_offset) {
  absl::StatusOr<std::unique_ptr<File>> file = log.directory().OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kTimeIndex),
      OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return nullptr;
  return file;
}

// Whether a segment that is not the last has no record of that time or later:
// by its sidecar, or by the last entry of its time index if its batch agrees.
absl::StatusOr<bool> IsAllEarlier(ReadOnlyLog& log,
                                  const ReadOnlySegment& segment, File& index,
                                  int64_t timestamp_ms) {
  const int64_t base = segment.base_offset();
  const absl::StatusOr<int64_t> size = segment.Size();
  if (!size.ok()) return size.status();
  const std::optional<SegmentSidecar> sidecar =
      ReadSidecarOf(log.directory(), base, *size);
  if (sidecar.has_value()) return sidecar->max_timestamp_ms < timestamp_ms;
  absl::StatusOr<std::optional<TimestampOffset>> last =
      FindFinalTimeEntry(index, base);
  if (!last.ok()) return last.status();
  if (!last->has_value() || (*last)->timestamp_ms >= timestamp_ms) return false;
  absl::StatusOr<std::optional<BatchPlace>> place =
      FindLiveBatchOf(log.directory(), segment, **last);
  if (!place.ok()) return place.status();
  return place->has_value();
}

// The first offset of `segment` that its time index does not rule out; none
// when it rules out all of it. Two entries have to agree with their batches:
// TimeIndex::LookupPair says why.
absl::StatusOr<std::optional<int64_t>> FindStart(ReadOnlyLog& log,
                                                 const ReadOnlySegment& segment,
                                                 int64_t timestamp_ms) {
  const int64_t base = segment.base_offset();
  absl::StatusOr<std::unique_ptr<File>> index = OpenTimeIndex(log, base);
  if (!index.ok()) return index.status();
  if (*index == nullptr) return base;
  if (log.SegmentBehind(base).has_value()) {
    absl::StatusOr<bool> earlier =
        IsAllEarlier(log, segment, **index, timestamp_ms);
    if (!earlier.ok()) return earlier.status();
    if (*earlier) return std::nullopt;
  }
  absl::StatusOr<TimeIndex::Pair> entries =
      FindTimeEntries(**index, base, timestamp_ms);
  if (!entries.ok()) return entries.status();
  int64_t start = std::numeric_limits<int64_t>::max();
  for (const TimestampOffset& entry : {entries->before, entries->found}) {
    absl::StatusOr<std::optional<BatchPlace>> place =
        FindLiveBatchOf(log.directory(), segment, entry);
    if (!place.ok()) return place.status();
    if (!place->has_value()) return base;
    start = std::min(start, (*place)->base_offset);
  }
  return start;
}

std::optional<int64_t> FindInSlice(const ReadOnlySlice& slice,
                                   const TimeSearch& search,
                                   ByteBuffer& scratch) {
  const RecordBatches batches(slice.pin, slice.bytes, 0, 0);
  for (const RecordBatch& batch : batches) {
    const std::optional<int64_t> found = FindInBatch(batch, search, scratch);
    if (found.has_value()) return found;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int64_t> FindLiveOffsetForTime(ReadOnlyLog& log,
                                              int64_t timestamp_ms,
                                              const Codecs* codecs) {
  const TimeSearch search = {.timestamp_ms = timestamp_ms,
                             .begin_offset = log.log_start(),
                             .codecs = codecs};
  ByteBuffer scratch;
  int64_t at = log.log_start();
  while (true) {
    absl::StatusOr<ReadOnlyLog::Cursor> cursor = log.Locate(at);
    if (!cursor.ok()) return cursor.status();
    if (cursor->segment == nullptr) return cursor->place.base_offset;
    const std::shared_ptr<ReadOnlySegment> segment = cursor->segment;
    absl::StatusOr<std::optional<int64_t>> start =
        FindStart(log, *segment, timestamp_ms);
    if (!start.ok()) return start.status();
    if (!start->has_value()) {
      const std::optional<int64_t> behind =
          log.SegmentBehind(segment->base_offset());
      CHECK(behind.has_value());
      at = *behind;
      continue;
    }
    cursor = log.Locate(std::max(at, **start));
    if (!cursor.ok()) return cursor.status();
    while (cursor->segment == nullptr ||
           cursor->segment->base_offset() <= segment->base_offset()) {
      absl::StatusOr<ReadOnlySlice> slice =
          log.Advance(*cursor, {.offset = cursor->place.base_offset,
                                .max_bytes = kReadWindowMax,
                                .window_bytes = kReadWindowMax,
                                .passes_damage = true});
      if (!slice.ok()) return slice.status();
      if (slice->bytes.empty())
        return std::max(cursor->place.base_offset, log.recovery_point());
      const std::optional<int64_t> found = FindInSlice(*slice, search, scratch);
      if (found.has_value()) return *found;
    }
    at = cursor->segment->base_offset();
  }
}

}  // namespace varve
