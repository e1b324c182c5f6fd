// SPDX-License-Identifier: Apache-2.0

#include "log/log_reader.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "log/batch_scanner.h"
#include "log/read_options.h"
#include "log/record_batches.h"
#include "log/segment.h"
#include "log/segment_list.h"
#include "log/segment_read.h"
#include "log/time_search.h"

namespace varve {

absl::Status LogReader::OutOfRange(int64_t offset, int64_t end) const {
  return absl::OutOfRangeError(absl::StrCat(
      path_, ": offset ", offset, " is out of range: the log starts at ",
      ends_->log_start(), " and ends before ", end));
}

absl::StatusOr<RecordBatches> LogReader::Read(
    int64_t offset, const ReadOptions& options) const {
  const int64_t end = ends_->readable(options.level);
  if (offset < ends_->log_start()) return OutOfRange(offset, end);
  if (offset >= end) {
    if (offset > ends_->visible()) return OutOfRange(offset, end);
    return RecordBatches(offset);
  }
  absl::StatusOr<RecordBatches> batches = ReadTo(end, offset, options);
  // Trimmed while it was being read.
  if (!batches.ok() && offset < ends_->log_start()) {
    return OutOfRange(offset, end);
  }
  return batches;
}

absl::StatusOr<RecordBatches> LogReader::ReadTo(
    int64_t end, int64_t offset, const ReadOptions& options) const {
  const Continuity continuity = continuity_.load(std::memory_order_relaxed);
  int64_t look_at = offset;
  while (true) {
    absl::StatusOr<SegmentList::Found> found = Find(look_at, end);
    if (!found.ok()) return found.status();
    absl::StatusOr<SegmentSlice> slice = ReadSegment(
        *found->segment,
        {.offset = offset,
         .max_bytes = options.max_bytes,
         .end_offset = end,
         .crc = options.crc,
         .continuity = continuity,
         .next_base_offset = found->next_base_offset.value_or(end)});
    if (slice.ok()) {
      return RecordBatches(std::move(found->segment), slice->bytes, offset,
                           slice->next_offset);
    }
    if (!absl::IsNotFound(slice.status())) return slice.status();
    const int64_t next = found->next_base_offset.value_or(end);
    if (continuity == Continuity::kExact) {
      return absl::DataLossError(
          absl::StrCat(found->segment->path(), ": ends before offset ", offset,
                       "; the next readable offset is ", next));
    }
    if (next >= end) return RecordBatches(end);
    look_at = next;
  }
}

// A segment that is not there is a loss: NotFound is said of topics.
absl::StatusOr<SegmentList::Found> LogReader::Find(int64_t offset,
                                                   int64_t end) const {
  absl::StatusOr<SegmentList::Found> found = segments_->Find(offset);
  if (!absl::IsNotFound(found.status())) return found;
  return absl::DataLossError(
      absl::StrCat(found.status().message(), "; the next readable offset is ",
                   segments_->first_base_offset().value_or(end)));
}

absl::StatusOr<int64_t> LogReader::OffsetForTime(absl::Time time,
                                                 ReadLevel level) const {
  // Up: a record of the millisecond that `time` lies in is earlier.
  const int64_t timestamp_ms =
      absl::ToUnixMillis(time + absl::Milliseconds(1) - absl::Nanoseconds(1));
  while (true) {
    const int64_t begin = ends_->log_start();
    absl::StatusOr<int64_t> offset =
        FindTime(timestamp_ms, begin, ends_->readable(level));
    // Another try when the log was trimmed meanwhile.
    if (begin == ends_->log_start()) return offset;
  }
}

absl::StatusOr<int64_t> LogReader::FindTime(int64_t timestamp_ms, int64_t begin,
                                            int64_t end) const {
  std::optional<int64_t> look_at = begin;
  while (look_at.has_value() && *look_at < end) {
    absl::StatusOr<SegmentList::Found> found = Find(*look_at, end);
    if (!found.ok()) return found.status();
    // The last one may get records of any time while we look.
    const bool may_have =
        !found->next_base_offset.has_value() ||
        segments_->LargestTimestamp(*found->segment).value_or(timestamp_ms) >=
            timestamp_ms;
    if (may_have) {
      const std::optional<int64_t> offset =
          FindOffsetForTime(*found->segment, {.timestamp_ms = timestamp_ms,
                                              .begin_offset = begin,
                                              .end_offset = end});
      if (offset.has_value()) return *offset;
    }
    look_at = found->next_base_offset;
  }
  return end;
}

}  // namespace varve
