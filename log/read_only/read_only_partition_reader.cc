// SPDX-License-Identifier: Apache-2.0

#include "varve/log/read_only/read_only_partition_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/metadata/fitting_compressed_bytes.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/read_only/open_readers.h"
#include "varve/log/read_only/poll_interval.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/read_only/read_only_segment_read.h"
#include "varve/log/read_only/read_only_time_search.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/read_errors.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using Cursor = ReadOnlyLog::Cursor;

static_assert(kReadWindowMin <= kReadWindowMax);

// Leaves out the batches at the end from offset `end` on; `next` is then the
// offset to read next.
void CutAt(int64_t end, ReadOnlySlice& slice, int64_t& next) {
  size_t kept = 0;
  while (kept < slice.bytes.size()) {
    const std::string_view rest = slice.bytes.substr(kept);
    int64_t size = 0;
    // They were checked, but a mapped file may have been overwritten since.
    if (RecordBatch::Check(rest, CrcCheck::kSkip, std::ssize(rest), &size) !=
        BatchDefect::kNone) {
      break;
    }
    const RecordBatch batch(rest.substr(0, static_cast<size_t>(size)));
    if (batch.base_offset() >= end) break;
    next = batch.next_offset();
    kept += static_cast<size_t>(size);
  }
  // Compaction has left out what came before `end`.
  if (kept == 0) next = std::min(next, end);
  slice.bytes = slice.bytes.substr(0, kept);
}

}  // namespace

ReadOnlyPartitionReader::ReadOnlyPartitionReader(
    std::unique_ptr<Directory> directory, ReadOnlyLog::Options options,
    std::shared_ptr<OpenReaders> open_readers, Decompressor decompressor)
    : path_(directory->path()),
      open_readers_(std::move(open_readers)),
      decompressor_(std::move(decompressor)),
      log_(std::move(directory), std::move(options)) {
  if (open_readers_ != nullptr) open_readers_->Add(this);
}

ReadOnlyPartitionReader::~ReadOnlyPartitionReader() {
  if (open_readers_ != nullptr) open_readers_->Remove(this);
}

bool ReadOnlyPartitionReader::TryRest() {
  if (!mu_.TryLock()) return false;
  const std::optional<Cursor>& known = next_.has_value() ? next_ : end_;
  resting_place_.reset();
  if (known.has_value() && known->segment != nullptr) {
    resting_place_ = {.segment_base = known->segment->base_offset(),
                      .place = known->place};
  }
  next_.reset();
  end_.reset();
  log_.Rest();
  mu_.Unlock();
  return true;
}

// Called first by every method that reads files.
absl::Status ReadOnlyPartitionReader::WakeUp() {
  NoteUse();
  if (!log_.rests()) return absl::OkStatus();
  CHECK(open_readers_ != nullptr);  // nobody else has it rest
  // Called before the open, so that a descriptor is free.
  open_readers_->Add(this);
  absl::Status status = log_.WakeUp();
  if (!status.ok()) open_readers_->Remove(this);
  return status;
}

absl::Status ReadOnlyPartitionReader::BehindEnd(int64_t offset,
                                                int64_t end) const {
  return OffsetOutOfRange(path_, offset, log_.log_start(), end);
}

absl::StatusOr<Cursor> ReadOnlyPartitionReader::CursorFor(int64_t offset) {
  if (absl::Status status = log_.CheckStart(offset); !status.ok())
    return status;
  for (const std::optional<Cursor>* known : {&next_, &end_}) {
    if (known->has_value() && (*known)->place.base_offset == offset)
      return **known;
  }
  if (absl::Status status = RefreshIfDue(); !status.ok()) return status;
  const std::optional<RestingPlace> resting =
      std::exchange(resting_place_, std::nullopt);
  if (resting.has_value() && resting->place.base_offset == offset) {
    absl::StatusOr<Cursor> cursor =
        log_.FindAgain(resting->segment_base, resting->place);
    if (!absl::IsNotFound(cursor.status())) return cursor;
  }
  return log_.Locate(offset);
}

absl::Status ReadOnlyPartitionReader::RefreshIfDue() {
  return log_.RefreshIsDue() ? log_.Refresh() : absl::OkStatus();
}

absl::StatusOr<RecordBatches> ReadOnlyPartitionReader::Read(
    int64_t offset, const ReadOptions& options) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  absl::StatusOr<RecordBatches> view =
      TryRead(offset, options,
              transactions_ == nullptr ? Known::kJustLoaded : Known::kBefore);
  if (!absl::IsAborted(view.status())) return view;
  ForgetLog();
  return TryRead(offset, options, Known::kJustLoaded);
}

// Errors: those of `Read`; with Known::kBefore also Aborted, when what is known
// of transactions is of batches that are there no more.
absl::StatusOr<RecordBatches> ReadOnlyPartitionReader::TryRead(
    int64_t offset, const ReadOptions& options, Known known) {
  const absl::StatusOr<int64_t> limit =
      LimitOf(offset, options.level, options.isolation);
  if (!limit.ok()) return limit.status();
  if (offset >= *limit) return NotReadableYet(offset, *limit);
  absl::StatusOr<Cursor> cursor = CursorFor(offset);
  if (!cursor.ok()) return cursor.status();
  absl::StatusOr<ReadOnlySlice> slice = log_.Advance(
      *cursor, {.offset = offset,
                .max_bytes = options.max_bytes,
                .compressed_max_bytes = FittingCompressedBytes(options),
                .window_bytes = window_bytes_,
                .crc = options.crc,
                .is_below_end = true});
  next_.reset();
  if (!slice.ok()) {
    // The known end may be what is wrong.
    end_.reset();
    return slice.status();
  }
  int64_t next = cursor->place.base_offset;
  const int64_t end = std::max(next, log_.recovery_point());
  NoteEnd(*cursor, *slice);
  if (slice->bytes.empty() && offset > end) return BehindEnd(offset, end);
  const bool checks_log =
      options.isolation == Isolation::kReadCommitted && known == Known::kBefore;
  if (slice->bytes.empty() && checks_log) return absl::AbortedError(path_);
  AdaptWindow(*slice, slice->has_compressed ? FittingCompressedBytes(options)
                                            : options.max_bytes);
  next_ = *std::move(cursor);
  // Of the slice in the segment.
  const int64_t position = next_->place.position - std::ssize(slice->bytes);
  if (*limit != kNoOffset) CutAt(*limit, *slice, next);
  if (slice->bytes.empty()) return RecordBatches(std::max(offset, next));
  DCHECK(slice->pin != nullptr);
  RecordBatches view(std::move(slice->pin), slice->bytes, offset, next);
  if (checks_log && !transactions_->HasNoted(view))
    return absl::AbortedError(path_);
  if (options.isolation == Isolation::kReadCommitted)
    transactions_->LeaveOutAborted(view);
  if (!slice->has_compressed ||
      options.decompression == Decompression::kLeave) {
    return view;
  }
  view = decompressor_.Decompress(std::move(view), options.max_bytes);
  next_->place = {.position = position + view.size_bytes(),
                  .base_offset = view.next_offset()};
  return view;
}

// Where a read from `offset` on ends at the latest; kNoOffset: at the end of
// the log. What is known already will do when `offset` is below it.
absl::StatusOr<int64_t> ReadOnlyPartitionReader::LimitOf(int64_t offset,
                                                         ReadLevel level,
                                                         Isolation isolation) {
  int64_t limit = kNoOffset;
  if (level == ReadLevel::kDurable) {
    if (offset >= log_.recovery_point()) {
      if (absl::Status status = RefreshIfDue(); !status.ok()) return status;
    }
    limit = log_.recovery_point();
  }
  if (isolation == Isolation::kReadUncommitted) return limit;
  if (transactions_ == nullptr || offset >= LastStableOffset(level)) {
    if (absl::Status status = CatchUp(offset, level); !status.ok())
      return status;
  }
  return std::min(limit, LastStableOffset(level));
}

// A read at `offset` finds nothing, because it ends at `limit`.
absl::StatusOr<RecordBatches> ReadOnlyPartitionReader::NotReadableYet(
    int64_t offset, int64_t limit) {
  if (absl::Status status = log_.CheckStart(offset); !status.ok())
    return status;
  if (offset > limit) {
    const absl::StatusOr<LogBounds> bounds = TryBounds();
    if (!bounds.ok()) return bounds.status();
    if (offset > bounds->visible_end)
      return BehindEnd(offset, bounds->visible_end);
  }
  return RecordBatches(offset);
}

// The log ends there. If it was cut below where a read had come to, that place
// is none any more.
void ReadOnlyPartitionReader::SetEnd(Cursor end) {
  end_ = std::move(end);
  if (next_.has_value() && next_->place.base_offset > end_->place.base_offset)
    next_.reset();
}

// Remembers the furthest known end. If nothing is found at the cursor, that is
// the end, even if it was later before: a recovery may have cut the log.
void ReadOnlyPartitionReader::NoteEnd(const Cursor& cursor,
                                      const ReadOnlySlice& slice) {
  if (slice.bytes.empty()) {
    SetEnd(cursor);
  } else if (!end_.has_value() ||
             end_->place.base_offset <= cursor.place.base_offset) {
    end_ = cursor;
  }
}

// Reads as much at a time as there is to read, so that a follower of a busy log
// makes few calls, and one of an idle log does not read unwritten bytes.
void ReadOnlyPartitionReader::AdaptWindow(const ReadOnlySlice& slice,
                                          int64_t max_bytes) {
  const auto size = static_cast<int64_t>(slice.bytes.size());
  if (size > window_bytes_ / 2) window_bytes_ *= 2;
  if (size < window_bytes_ / 8) window_bytes_ /= 2;
  window_bytes_ =
      std::clamp(window_bytes_, kReadWindowMin,
                 std::clamp(max_bytes, kReadWindowMin, kReadWindowMax));
}

absl::Status ReadOnlyPartitionReader::WaitFor(int64_t offset,
                                              absl::Time deadline,
                                              ReadLevel level,
                                              Isolation isolation) {
  PollInterval poll;
  while (true) {
    absl::StatusOr<bool> news = HasNews(offset, level, isolation);
    if (!news.ok()) return news.status();
    if (*news) return absl::OkStatus();
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    absl::SleepFor(std::min(poll.Next(), left));
  }
  return absl::DeadlineExceededError(
      absl::StrCat(path_, ": no record at offset ", offset, " yet"));
}

absl::StatusOr<bool> ReadOnlyPartitionReader::HasNews(int64_t offset,
                                                      ReadLevel level,
                                                      Isolation isolation) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  if (level != ReadLevel::kDurable &&
      isolation == Isolation::kReadUncommitted) {
    return IsPastOrWrong(offset);
  }
  const absl::StatusOr<int64_t> limit = LimitOf(offset, level, isolation);
  if (!limit.ok()) return limit.status();
  if (offset < *limit) return true;
  const absl::Status status = NotReadableYet(offset, *limit).status();
  if (!status.ok() && !absl::IsOutOfRange(status)) return status;
  return !status.ok();
}

// Whether the visible end is past `offset`, or there is an error to report.
absl::StatusOr<bool> ReadOnlyPartitionReader::IsPastOrWrong(int64_t offset) {
  const bool end_is_near =
      end_.has_value() && !(end_->segment != nullptr &&
                            log_.SegmentBehind(end_->segment->base_offset()));
  if (end_.has_value() && end_->place.base_offset > offset) return true;
  absl::StatusOr<Cursor> cursor =
      end_is_near ? absl::StatusOr<Cursor>(*end_) : CursorFor(offset);
  absl::StatusOr<ReadOnlySlice> slice =
      cursor.ok() ? log_.Advance(*cursor, {.offset = offset})
                  : absl::StatusOr<ReadOnlySlice>(cursor.status());
  // A read reports what is wrong there, once it does not believe what is known.
  if (absl::IsOutOfRange(slice.status()) || absl::IsDataLoss(slice.status())) {
    next_.reset();
    end_.reset();
    return true;
  }
  if (!slice.ok()) return slice.status();
  if (!slice->bytes.empty()) {
    end_ = *std::move(cursor);
    return true;
  }
  SetEnd(*std::move(cursor));
  return offset > std::max(end_->place.base_offset, log_.recovery_point());
}

}  // namespace varve
