// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_reader.h"

#include <atomic>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/metadata/fitting_compressed_bytes.h"
#include "varve/log/metadata/next_readable_offset.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/producer/aborted_records.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/read_errors.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/segment/segment_read.h"
#include "varve/log/segment/time_search.h"

namespace varve {
namespace {

// Adds what comes after a slice that has ended at its
// `FittingCompressedBytes`, up to `max_bytes` in all. What is wrong there is
// reported by the read that begins there.
void ReadOn(const Segment& segment, SegmentReadOptions rest, int64_t max_bytes,
            SegmentSlice& slice) {
  rest.offset = slice.next_offset;
  rest.max_bytes = max_bytes - std::ssize(slice.bytes);
  if (rest.max_bytes <= 0 || rest.offset >= rest.next_base_offset) return;
  const absl::StatusOr<SegmentSlice> more = ReadSegment(segment, rest);
  const char* const end = slice.bytes.data() + slice.bytes.size();
  if (!more.ok() || more->bytes.data() != end ||
      std::ssize(more->bytes) > rest.max_bytes) {
    return;
  }
  slice.bytes = {slice.bytes.data(), slice.bytes.size() + more->bytes.size()};
  slice.next_offset = more->next_offset;
  slice.has_compressed = more->has_compressed;
}

}  // namespace

absl::Status PartitionReader::OutOfRange(int64_t offset, int64_t end) const {
  return OffsetOutOfRange(path_, offset, ends_->log_start(), end);
}

absl::StatusOr<RecordBatches> PartitionReader::Read(
    int64_t offset, const ReadOptions& options) const {
  const int64_t end = ends_->readable(options.level, options.isolation);
  if (offset < ends_->log_start()) return OutOfRange(offset, end);
  if (offset >= end) {
    if (offset > ends_->visible()) return OutOfRange(offset, end);
    return RecordBatches(offset);
  }
  absl::StatusOr<RecordBatches> batches = ReadTo(end, offset, options);
  // The log was trimmed while it was being read; what is known of aborted
  // transactions may have gone as well.
  const bool is_sure =
      batches.ok() && options.isolation == Isolation::kReadUncommitted;
  if (!is_sure && offset < ends_->log_start()) {
    return OutOfRange(offset, end);
  }
  return batches;
}

absl::StatusOr<RecordBatches> PartitionReader::ReadTo(
    int64_t end, int64_t offset, const ReadOptions& options) const {
  DCHECK_LT(offset, end);
  const Continuity continuity = continuity_.load(std::memory_order_relaxed);
  int64_t look_at = offset;
  while (true) {
    absl::StatusOr<SegmentList::Found> found = Find(look_at, end);
    if (!found.ok()) return found.status();
    const SegmentReadOptions first = {
        .offset = offset,
        .max_bytes = FittingCompressedBytes(options),
        .end_offset = end,
        .crc = options.crc,
        .continuity = continuity,
        .next_base_offset = found->next_base_offset.value_or(end)};
    absl::StatusOr<SegmentSlice> slice = ReadSegment(*found->segment, first);
    if (slice.ok()) {
      const Segment& segment = *found->segment;
      if (slice->next_offset < end && !slice->has_compressed &&
          first.max_bytes < options.max_bytes) {
        ReadOn(segment, first, options.max_bytes, *slice);
      }
      RecordBatches view(std::move(found->segment), slice->bytes, offset,
                         slice->next_offset);
      if (options.isolation == Isolation::kReadCommitted) {
        if (absl::Status status = LeaveOutAborted(view); !status.ok())
          return status;
        // What was aborted in a segment that compaction has replaced since may
        // not be known any more.
        if (MayHaveAborted() && !segments_->Holds(segment)) continue;
      }
      if (!slice->has_compressed ||
          options.decompression == Decompression::kLeave) {
        return view;
      }
      return Decompress(std::move(view), segment, options.max_bytes);
    }
    if (!absl::IsNotFound(slice.status())) return slice.status();
    const int64_t next = found->next_base_offset.value_or(end);
    if (continuity == Continuity::kExact) {
      return DamagedRead(
          absl::StrCat(found->segment->path(), ": ends before offset ", offset),
          next);
    }
    if (next >= end) return RecordBatches(end);
    DCHECK_GT(next, look_at);
    look_at = next;
  }
}

// The end of the view is at most the last stable offset, which was looked at
// before this.
absl::Status PartitionReader::LeaveOutAborted(RecordBatches& view) const {
  if (!MayHaveAborted() || view.begin() == view.end()) return absl::OkStatus();
  std::vector<AbortedTransaction> aborted;
  absl::Status status = aborted_->FindOverlapping(
      {.from = (*view.begin()).base_offset(), .to = view.next_offset()},
      aborted);
  if (status.ok()) varve::LeaveOutAborted(aborted, view);
  return status;
}

// A read goes on where the view ends.
RecordBatches PartitionReader::Decompress(RecordBatches view,
                                          const Segment& segment,
                                          int64_t max_bytes) const {
  const int64_t end = view.next_offset();
  view = decompressor_.Decompress(std::move(view), max_bytes);
  if (view.next_offset() != end) {
    segment.read_ends().Note(
        end, {.position = view.bytes().data() + view.size_bytes() -
                          segment.visible_bytes().data(),
              .base_offset = view.next_offset()});
  }
  return view;
}

// A missing segment is DataLoss, because NotFound is kept for topics.
absl::StatusOr<SegmentList::Found> PartitionReader::Find(int64_t offset,
                                                         int64_t end) const {
  absl::StatusOr<SegmentList::Found> found = segments_->Find(offset);
  const absl::Status& status = found.status();
  if (absl::IsNotFound(status)) {
    return DamagedRead(status.message(),
                       segments_->first_base_offset().value_or(end));
  }
  // It is the last one that is missing.
  if (absl::IsDataLoss(status) && !NextReadableOffset(status).has_value())
    return DamagedRead(status.message(), end);
  return found;
}

absl::StatusOr<int64_t> PartitionReader::OffsetForTime(absl::Time time,
                                                       ReadLevel level) const {
  const int64_t timestamp_ms = TimestampAtOrAfter(time);
  while (true) {
    const int64_t begin = ends_->log_start();
    absl::StatusOr<int64_t> offset =
        FindTime(timestamp_ms, begin, ends_->readable(level));
    // Tries again when the log was trimmed meanwhile.
    if (begin == ends_->log_start()) return offset;
  }
}

absl::StatusOr<int64_t> PartitionReader::FindTime(int64_t timestamp_ms,
                                                  int64_t begin,
                                                  int64_t end) const {
  std::optional<int64_t> look_at = begin;
  while (look_at.has_value() && *look_at < end) {
    absl::StatusOr<SegmentList::Found> found = Find(*look_at, end);
    if (!found.ok()) return found.status();
    // The last segment may get records of any time meanwhile.
    const bool may_have =
        !found->next_base_offset.has_value() ||
        segments_->LargestTimestamp(*found->segment).value_or(timestamp_ms) >=
            timestamp_ms;
    if (may_have) {
      const std::optional<int64_t> offset = FindOffsetForTime(
          *found->segment, {.timestamp_ms = timestamp_ms,
                            .begin_offset = begin,
                            .end_offset = end,
                            .codecs = decompressor_.codecs()});
      if (offset.has_value()) return *offset;
    }
    DCHECK_GT(found->next_base_offset.value_or(end), *look_at);
    look_at = found->next_base_offset;
  }
  return end;
}

}  // namespace varve
