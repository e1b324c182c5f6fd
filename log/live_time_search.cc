// SPDX-License-Identifier: Apache-2.0

#include "log/live_time_search.h"

#include <algorithm>
#include <cstdint>
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

// The first offset of `segment` that its time index does not rule out; none
// when it rules out all of it.
absl::StatusOr<std::optional<int64_t>> FindStart(LiveLog& log,
                                                 const LiveSegment& segment,
                                                 int64_t timestamp_ms) {
  const int64_t base = segment.base_offset();
  absl::StatusOr<std::unique_ptr<File>> index = OpenTimeIndex(log, base);
  if (!index.ok()) return index.status();
  if (*index == nullptr) return base;
  if (log.SegmentBehind(base).has_value()) {
    absl::StatusOr<std::optional<TimestampOffset>> final_entry =
        FindFinalTimeEntry(**index, base);
    if (!final_entry.ok()) return final_entry.status();
    if (final_entry->has_value() &&
        (*final_entry)->timestamp_ms < timestamp_ms) {
      return std::nullopt;
    }
  }
  absl::StatusOr<std::optional<TimestampOffset>> entry =
      FindTimeEntry(**index, base, timestamp_ms);
  if (!entry.ok()) return entry.status();
  if (!entry->has_value()) return base;
  absl::StatusOr<BatchPlace> place =
      FindLivePlace(log.directory(), segment, (*entry)->offset);
  if (!place.ok()) return place.status();
  absl::StatusOr<LiveSlice> slice = ReadLiveBatches(
      segment, *place,
      {.offset = (*entry)->offset, .continuity = Continuity::kGapsAllowed});
  if (!slice.ok()) return slice.status();
  if (slice->bytes.empty()) return base;
  const RecordBatch batch(slice->bytes);
  const bool agrees = batch.last_offset() == (*entry)->offset &&
                      batch.max_timestamp_ms() == (*entry)->timestamp_ms;
  return agrees ? batch.base_offset() : base;
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
