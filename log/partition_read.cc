// SPDX-License-Identifier: Apache-2.0

#include "log/partition_read.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "log/batch_scanner.h"
#include "log/record_batches.h"
#include "log/segment.h"
#include "log/segment_list.h"
#include "log/segment_read.h"
#include "log/time_search.h"

namespace varve {

absl::StatusOr<RecordBatches> ReadPartition(
    SegmentList& segments, const PartitionReadOptions& options) {
  int64_t look_at = options.offset;
  while (true) {
    absl::StatusOr<SegmentList::Found> found = segments.Find(look_at);
    if (absl::IsNotFound(found.status())) {
      return absl::DataLossError(absl::StrCat(
          found.status().message(), "; the next readable offset is ",
          segments.first_base_offset().value_or(options.end_offset)));
    }
    if (!found.ok()) return found.status();
    absl::StatusOr<SegmentSlice> slice =
        ReadSegment(*found->segment, {.offset = options.offset,
                                      .max_bytes = options.max_bytes,
                                      .end_offset = options.end_offset,
                                      .crc = options.crc,
                                      .continuity = options.continuity});
    if (slice.ok()) {
      return RecordBatches(std::move(found->segment), slice->bytes,
                           options.offset, slice->next_offset);
    }
    if (!absl::IsNotFound(slice.status())) return slice.status();
    const int64_t next = found->next_base_offset.value_or(options.end_offset);
    if (options.continuity == Continuity::kExact) {
      return absl::DataLossError(
          absl::StrCat(found->segment->path(), ": ends before offset ",
                       options.offset, "; the next readable offset is ", next));
    }
    if (next >= options.end_offset) return RecordBatches(options.end_offset);
    look_at = next;
  }
}

absl::StatusOr<int64_t> FindPartitionOffsetForTime(SegmentList& segments,
                                                   int64_t timestamp_ms,
                                                   int64_t begin_offset,
                                                   int64_t end_offset) {
  std::optional<int64_t> look_at = begin_offset;
  while (look_at.has_value() && *look_at < end_offset) {
    absl::StatusOr<SegmentList::Found> found = segments.Find(*look_at);
    if (!found.ok()) return found.status();
    // The last one may get records of any time while we look.
    const bool may_have = !found->next_base_offset.has_value() ||
                          found->segment->largest_timestamp_ms().value_or(
                              timestamp_ms) >= timestamp_ms;
    if (may_have) {
      const std::optional<int64_t> offset =
          FindOffsetForTime(*found->segment, {.timestamp_ms = timestamp_ms,
                                              .begin_offset = begin_offset,
                                              .end_offset = end_offset});
      if (offset.has_value()) return *offset;
    }
    look_at = found->next_base_offset;
  }
  return end_offset;
}

}  // namespace varve
