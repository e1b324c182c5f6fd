// SPDX-License-Identifier: Apache-2.0

#include "log/live_time_search.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "index/time_index.h"
#include "log/file_system.h"
#include "log/index_file_search.h"
#include "log/live_log.h"
#include "log/live_segment.h"
#include "log/live_segment_read.h"
#include "log/live_segment_search.h"
#include "log/record_batch.h"
#include "log/record_batches.h"
#include "log/segment_name.h"
#include "log/segment_sidecar.h"
#include "log/time_search.h"

namespace varve {
namespace {

// Null when there is none: it is a cache.
absl::StatusOr<std::unique_ptr<File>> OpenTimeIndex(LiveLog& log,
                                                    int64_t base_offset) {
  absl::StatusOr<std::unique_ptr<File>> file = log.directory().OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kTimeIndex),
      OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return nullptr;
  return file;
}

// Whether a segment with one behind it has no record of that time or later: by
// its sidecar, or by the last entry of its time index if its batch agrees.
absl::StatusOr<bool> IsAllEarlier(LiveLog& log, const LiveSegment& segment,
                                  File& index, int64_t timestamp_ms) {
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
absl::StatusOr<std::optional<int64_t>> FindStart(LiveLog& log,
                                                 const LiveSegment& segment,
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

std::optional<int64_t> FindInSlice(const LiveSlice& slice,
                                   const TimeSearch& search) {
  const RecordBatches batches(slice.pin, slice.bytes, 0, 0);
  for (const RecordBatch& batch : batches) {
    const std::optional<int64_t> found = FindInBatch(batch, search);
    if (found.has_value()) return found;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int64_t> FindLiveOffsetForTime(LiveLog& log,
                                              int64_t timestamp_ms) {
  const TimeSearch search = {.timestamp_ms = timestamp_ms,
                             .begin_offset = log.log_start()};
  int64_t at = log.log_start();
  while (true) {
    absl::StatusOr<LiveLog::Cursor> cursor = log.Locate(at);
    if (!cursor.ok()) return cursor.status();
    if (cursor->segment == nullptr) return cursor->place.base_offset;
    const std::shared_ptr<LiveSegment> segment = cursor->segment;
    absl::StatusOr<std::optional<int64_t>> start =
        FindStart(log, *segment, timestamp_ms);
    if (!start.ok()) return start.status();
    if (!start->has_value()) {
      at = *log.SegmentBehind(segment->base_offset());
      continue;
    }
    cursor = log.Locate(std::max(at, **start));
    if (!cursor.ok()) return cursor.status();
    while (cursor->segment == nullptr ||
           cursor->segment->base_offset() <= segment->base_offset()) {
      absl::StatusOr<LiveSlice> slice =
          log.Advance(*cursor, {.offset = cursor->place.base_offset,
                                .max_bytes = kLiveWindowMax,
                                .window_bytes = kLiveWindowMax,
                                .passes_damage = true});
      if (!slice.ok()) return slice.status();
      if (slice->bytes.empty())
        return std::max(cursor->place.base_offset, log.recovery_point());
      const std::optional<int64_t> found = FindInSlice(*slice, search);
      if (found.has_value()) return *found;
    }
    at = cursor->segment->base_offset();
  }
}

int64_t TimestampAtOrAfter(absl::Time time) {
  const int64_t floor_ms = absl::ToUnixMillis(time);
  return absl::FromUnixMillis(floor_ms) < time && time < absl::InfiniteFuture()
             ? floor_ms + 1
             : floor_ms;
}

}  // namespace varve
