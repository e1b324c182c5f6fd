// SPDX-License-Identifier: Apache-2.0

#include "log/partition_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/leader_epoch_checkpoint.h"
#include "log/leader_epochs.h"
#include "log/live_log.h"
#include "log/live_segment.h"
#include "log/live_segment_read.h"
#include "log/live_time_search.h"
#include "log/open_readers.h"
#include "log/partition_stats.h"
#include "log/poll_interval.h"
#include "log/read_options.h"
#include "log/record_batch.h"
#include "log/record_batches.h"

namespace varve {
namespace {

using Cursor = LiveLog::Cursor;

// Behind every record.
constexpr int64_t kNoOffset = std::numeric_limits<int64_t>::max();

// What was listed may be trimmed away before it is looked at, so often at most:
// retention is not that fast.
constexpr int kTriesMax = 10;

// Leaves out the batches at the end from offset `end` on.
void CutAt(int64_t end, LiveSlice& slice, int64_t& next) {
  size_t kept = 0;
  while (kept < slice.bytes.size()) {
    const std::string_view rest = slice.bytes.substr(kept);
    int64_t size = 0;
    // They were checked; a mapped one may have been scribbled over since.
    if (RecordBatch::Check(rest, CrcCheck::kSkip, std::ssize(rest), &size) !=
        BatchDefect::kNone) {
      break;
    }
    const RecordBatch batch(rest.substr(0, static_cast<size_t>(size)));
    if (batch.base_offset() >= end) break;
    next = batch.next_offset();
    kept += static_cast<size_t>(size);
  }
  slice.bytes = slice.bytes.substr(0, kept);
}

}  // namespace

PartitionReader::PartitionReader(std::unique_ptr<Directory> directory,
                                 LiveLog::Options options,
                                 std::shared_ptr<OpenReaders> open_readers)
    : path_(directory->path()),
      open_readers_(std::move(open_readers)),
      log_(std::move(directory), std::move(options)) {
  if (open_readers_ != nullptr) open_readers_->Add(this);
}

PartitionReader::~PartitionReader() {
  if (open_readers_ != nullptr) open_readers_->Remove(this);
}

bool PartitionReader::TryRest() {
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

// To be called first by all that looks at files.
absl::Status PartitionReader::WakeUp() {
  NoteUse();
  if (!log_.rests()) return absl::OkStatus();
  // So that there is a descriptor to be had.
  open_readers_->Add(this);
  absl::Status status = log_.WakeUp();
  if (!status.ok()) open_readers_->Remove(this);
  return status;
}

absl::Status PartitionReader::BehindEnd(int64_t offset, int64_t end) const {
  return absl::OutOfRangeError(absl::StrCat(
      path_, ": offset ", offset, " is out of range: the log starts at ",
      log_.log_start(), " and ends before ", end));
}

absl::StatusOr<Cursor> PartitionReader::CursorFor(int64_t offset) {
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

absl::Status PartitionReader::RefreshIfDue() {
  return log_.RefreshIsDue() ? log_.Refresh() : absl::OkStatus();
}

absl::StatusOr<RecordBatches> PartitionReader::Read(
    int64_t offset, const ReadOptions& options) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  const bool durable_only = options.level == ReadLevel::kDurable;
  if (durable_only && offset >= log_.recovery_point()) {
    if (absl::Status status = RefreshIfDue(); !status.ok()) return status;
    if (offset >= log_.recovery_point()) return NotDurableYet(offset);
  }
  absl::StatusOr<Cursor> cursor = CursorFor(offset);
  if (!cursor.ok()) return cursor.status();
  absl::StatusOr<LiveSlice> slice =
      log_.Advance(*cursor, {.offset = offset,
                             .max_bytes = options.max_bytes,
                             .window_bytes = window_bytes_,
                             .crc = options.crc,
                             .is_below_end = true});
  next_.reset();
  if (!slice.ok()) {
    // What is known of the files may be what is wrong.
    end_.reset();
    return slice.status();
  }
  int64_t next = cursor->place.base_offset;
  const int64_t end = std::max(next, log_.recovery_point());
  NoteEnd(*cursor, *slice);
  if (slice->bytes.empty() && offset > end) return BehindEnd(offset, end);
  AdaptWindow(*slice, options.max_bytes);
  next_ = *std::move(cursor);
  if (durable_only) CutAt(log_.recovery_point(), *slice, next);
  if (slice->bytes.empty()) return RecordBatches(std::max(offset, next));
  return RecordBatches(std::move(slice->pin), slice->bytes, offset, next);
}

absl::StatusOr<RecordBatches> PartitionReader::NotDurableYet(int64_t offset) {
  if (offset > log_.recovery_point()) {
    const absl::StatusOr<LogBounds> bounds = TryBounds();
    if (!bounds.ok()) return bounds.status();
    if (offset > bounds->visible_end)
      return BehindEnd(offset, bounds->visible_end);
  }
  return RecordBatches(offset);
}

// Remembers the furthest place known. Where nothing stands is the end, also
// when it was further behind before: a recovery may have cut the log.
void PartitionReader::NoteEnd(const Cursor& cursor, const LiveSlice& slice) {
  if (!end_.has_value() || slice.bytes.empty() ||
      end_->place.base_offset <= cursor.place.base_offset) {
    end_ = cursor;
  }
}

// As much at a time as there is to read, so that a follower of a busy log calls
// seldom, and one of an idle log does not fetch what is not written.
void PartitionReader::AdaptWindow(const LiveSlice& slice, int64_t max_bytes) {
  const auto size = static_cast<int64_t>(slice.bytes.size());
  if (size > window_bytes_ / 2) window_bytes_ *= 2;
  if (size < window_bytes_ / 8) window_bytes_ /= 2;
  window_bytes_ =
      std::clamp(window_bytes_, kLiveWindowMin,
                 std::clamp(max_bytes, kLiveWindowMin, kLiveWindowMax));
}

absl::Status PartitionReader::WaitFor(int64_t offset, absl::Time deadline,
                                      ReadLevel level) {
  PollInterval poll;
  while (true) {
    absl::StatusOr<bool> news = HasNews(offset, level);
    if (!news.ok()) return news.status();
    if (*news) return absl::OkStatus();
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    absl::SleepFor(std::min(poll.Next(), left));
  }
  return absl::DeadlineExceededError(
      absl::StrCat(path_, ": no record at offset ", offset, " yet"));
}

absl::StatusOr<bool> PartitionReader::HasNews(int64_t offset, ReadLevel level) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  if (level == ReadLevel::kDurable) {
    if (offset < log_.recovery_point()) return true;
    if (absl::Status status = RefreshIfDue(); !status.ok()) return status;
    return offset < log_.recovery_point();
  }
  const bool end_is_near =
      end_.has_value() && !(end_->segment != nullptr &&
                            log_.SegmentBehind(end_->segment->base_offset()));
  if (end_.has_value() && end_->place.base_offset > offset) return true;
  absl::StatusOr<Cursor> cursor =
      end_is_near ? absl::StatusOr<Cursor>(*end_) : CursorFor(offset);
  absl::StatusOr<LiveSlice> slice =
      cursor.ok() ? log_.Advance(*cursor, {.offset = offset})
                  : absl::StatusOr<LiveSlice>(cursor.status());
  // A read says what is wrong there.
  if (absl::IsOutOfRange(slice.status()) || absl::IsDataLoss(slice.status())) {
    return true;
  }
  if (!slice.ok()) return slice.status();
  end_ = *std::move(cursor);
  return !slice->bytes.empty();
}

absl::StatusOr<LogBounds> PartitionReader::TryBounds() {
  if (absl::Status status = log_.Refresh(); !status.ok()) return status;
  absl::StatusOr<Cursor> cursor = log_.Locate(kNoOffset);
  if (!cursor.ok()) return cursor.status();
  absl::StatusOr<LiveSlice> slice =
      log_.Advance(*cursor, {.offset = kNoOffset});
  if (!slice.ok()) return slice.status();
  end_ = *std::move(cursor);
  return LogBounds{
      .log_start = log_.log_start(),
      .recovery_point = log_.recovery_point(),
      .visible_end = std::max(end_->place.base_offset, log_.recovery_point()),
      .segment_count = static_cast<int64_t>(log_.segment_bases().size())};
}

absl::StatusOr<LogBounds> PartitionReader::Bounds() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  absl::StatusOr<LogBounds> bounds;
  for (int i = 0; i < kTriesMax; ++i) {
    bounds = TryBounds();
    if (!absl::IsOutOfRange(bounds.status())) break;
  }
  return bounds;
}

absl::StatusOr<PartitionStats> PartitionReader::Stats() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  absl::StatusOr<PartitionStats> stats;
  for (int i = 0; i < kTriesMax; ++i) {
    stats = TryStats();
    if (!absl::IsOutOfRange(stats.status())) break;
  }
  return stats;
}

absl::StatusOr<PartitionStats> PartitionReader::TryStats() {
  const absl::StatusOr<LogBounds> bounds = TryBounds();
  if (!bounds.ok()) return bounds.status();
  PartitionStats stats = {
      .log_start = bounds->log_start,
      .durable_end = std::max(bounds->recovery_point, bounds->log_start),
      .visible_end = bounds->visible_end,
      .segments = bounds->segment_count};
  const absl::StatusOr<int64_t> batch_bytes = BatchBytes();
  if (!batch_bytes.ok()) return batch_bytes.status();
  stats.batch_bytes = *batch_bytes;
  const absl::StatusOr<int64_t> disk_bytes = log_.directory().DiskBytes();
  if (!disk_bytes.ok()) return disk_bytes.status();
  stats.disk_bytes = *disk_bytes;
  const absl::StatusOr<LeaderEpochs> epochs =
      ReadLeaderEpochCheckpoint(log_.directory());
  if (epochs.ok()) stats.epochs = epochs->entries();
  if (!epochs.ok() && !absl::IsNotFound(epochs.status()))
    return epochs.status();
  FillTimes(
      [this](int64_t offset) {
        mu_.AssertHeld();
        return BatchAt(offset);
      },
      stats);
  return stats;
}

// Of the last segment, up to where the log ends in it: the rest of its file is
// allocated ahead.
absl::StatusOr<int64_t> PartitionReader::BatchBytes() {
  int64_t bytes = 0;
  for (const int64_t base : log_.segment_bases()) {
    if (end_.has_value() && end_->segment != nullptr &&
        end_->segment->base_offset() == base) {
      bytes += end_->place.position;
      continue;
    }
    auto segment = LiveSegment::Open(log_.directory(), base);
    if (absl::IsNotFound(segment.status())) continue;  // trimmed meanwhile
    if (!segment.ok()) return segment.status();
    const absl::StatusOr<int64_t> size = (*segment)->Size();
    if (!size.ok()) return size.status();
    bytes += *size;
  }
  return bytes;
}

absl::StatusOr<RecordBatches> PartitionReader::BatchAt(int64_t offset) {
  absl::StatusOr<Cursor> cursor = log_.Locate(offset);
  if (!cursor.ok()) return cursor.status();
  absl::StatusOr<LiveSlice> slice =
      log_.Advance(*cursor, {.offset = offset, .is_below_end = true});
  if (!slice.ok()) return slice.status();
  return RecordBatches(std::move(slice->pin), slice->bytes, offset,
                       cursor->place.base_offset);
}

absl::StatusOr<int64_t> PartitionReader::OffsetForTime(absl::Time time,
                                                       ReadLevel level) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  absl::StatusOr<int64_t> found;
  for (int i = 0; i < kTriesMax; ++i) {
    if (absl::Status status = log_.Refresh(); !status.ok()) return status;
    found = FindLiveOffsetForTime(log_, TimestampAtOrAfter(time));
    if (!absl::IsOutOfRange(found.status())) break;
  }
  if (!found.ok() || level != ReadLevel::kDurable) return found;
  return std::min(*found, std::max(log_.recovery_point(), log_.log_start()));
}

}  // namespace varve
