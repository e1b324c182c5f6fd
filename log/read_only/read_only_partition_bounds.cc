// SPDX-License-Identifier: Apache-2.0

// The part of ReadOnlyPartitionReader that says where the log begins and ends,
// how large and how old it is, and which transactions are decided.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/read_only/read_only_segment_read.h"
#include "varve/log/read_only/read_only_time_search.h"
#include "varve/log/read_only/read_only_transactions.h"

namespace varve {
namespace {

using Cursor = ReadOnlyLog::Cursor;

// How much of the log is read at a time to know its transactions.
constexpr int64_t kNotedBytes = int64_t{1} << 20;

}  // namespace

absl::StatusOr<LogBounds> ReadOnlyPartitionReader::TryBounds() {
  if (absl::Status status = log_.Refresh(); !status.ok()) return status;
  absl::StatusOr<Cursor> cursor = log_.Locate(kNoOffset);
  if (!cursor.ok()) return cursor.status();
  absl::StatusOr<ReadOnlySlice> slice =
      log_.Advance(*cursor, {.offset = kNoOffset});
  if (!slice.ok()) return slice.status();
  SetEnd(*std::move(cursor));
  return LogBounds{
      .log_start = log_.log_start(),
      .recovery_point = log_.recovery_point(),
      .visible_end = std::max(end_->place.base_offset, log_.recovery_point()),
      .segment_count = static_cast<int64_t>(log_.segment_bases().size())};
}

absl::StatusOr<LogBounds> ReadOnlyPartitionReader::Bounds() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  return BoundsAfterTries();
}

absl::StatusOr<LogBounds> ReadOnlyPartitionReader::BoundsAfterTries() {
  absl::StatusOr<LogBounds> bounds;
  for (int i = 0; i < kTriesMax; ++i) {
    bounds = TryBounds();
    if (!absl::IsOutOfRange(bounds.status())) break;
  }
  return bounds;
}

absl::StatusOr<LeaderEpochs> ReadOnlyPartitionReader::Epochs() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  return ReadEpochs();
}

absl::StatusOr<LeaderEpochs> ReadOnlyPartitionReader::ReadEpochs() {
  absl::StatusOr<LeaderEpochs> epochs =
      ReadLeaderEpochCheckpoint(log_.directory());
  if (absl::IsNotFound(epochs.status())) return LeaderEpochs();
  return epochs;
}

absl::StatusOr<PartitionStats> ReadOnlyPartitionReader::Stats() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  absl::StatusOr<PartitionStats> stats;
  for (int i = 0; i < kTriesMax; ++i) {
    stats = TryStats();
    if (!absl::IsOutOfRange(stats.status())) break;
  }
  return stats;
}

absl::StatusOr<PartitionStats> ReadOnlyPartitionReader::TryStats() {
  const absl::StatusOr<LogBounds> bounds = TryBounds();
  if (!bounds.ok()) return bounds.status();
  PartitionStats stats = {
      .log_start = bounds->log_start,
      .durable_end = std::max(bounds->recovery_point, bounds->log_start),
      .visible_end = bounds->visible_end,
      .segments = bounds->segment_count};
  stats.clean_end = std::max(stats.log_start, log_.first_dirty().value_or(0));
  if (absl::Status status = AddSizes(stats); !status.ok()) return status;
  const absl::StatusOr<int64_t> disk_bytes = log_.directory().DiskBytes();
  if (!disk_bytes.ok()) return disk_bytes.status();
  stats.disk_bytes = *disk_bytes;
  const absl::StatusOr<LeaderEpochs> epochs = ReadEpochs();
  if (!epochs.ok()) return epochs.status();
  stats.epochs = epochs->entries();
  FillTimes(
      [this](int64_t offset) {
        mu_.AssertHeld();
        return BatchAt(offset);
      },
      stats);
  return stats;
}

// Counts the last segment up to where the log ends in it, because the rest of
// its file is allocated ahead.
absl::Status ReadOnlyPartitionReader::AddSizes(PartitionStats& stats) {
  for (const int64_t base : log_.segment_bases()) {
    if (end_.has_value() && end_->segment != nullptr &&
        end_->segment->base_offset() == base) {
      stats.batch_bytes += end_->place.position;
      continue;
    }
    auto segment = ReadOnlySegment::Open(log_.directory(), base);
    if (absl::IsNotFound(segment.status())) continue;  // trimmed meanwhile
    if (!segment.ok()) return segment.status();
    const absl::StatusOr<int64_t> size = (*segment)->Size();
    if (!size.ok()) return size.status();
    stats.batch_bytes += *size;
    if (base != log_.segment_bases().back()) stats.AddSealed(base, *size);
  }
  return absl::OkStatus();
}

absl::StatusOr<RecordBatches> ReadOnlyPartitionReader::BatchAt(int64_t offset) {
  absl::StatusOr<Cursor> cursor = log_.Locate(offset);
  if (!cursor.ok()) return cursor.status();
  absl::StatusOr<ReadOnlySlice> slice =
      log_.Advance(*cursor, {.offset = offset, .is_below_end = true});
  if (!slice.ok()) return slice.status();
  return RecordBatches(std::move(slice->pin), slice->bytes, offset,
                       cursor->place.base_offset);
}

absl::StatusOr<int64_t> ReadOnlyPartitionReader::OffsetForTime(
    absl::Time time, ReadLevel level) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  absl::StatusOr<int64_t> found;
  for (int i = 0; i < kTriesMax; ++i) {
    if (absl::Status status = log_.Refresh(); !status.ok()) return status;
    found = FindLiveOffsetForTime(log_, TimestampAtOrAfter(time),
                                  decompressor_.codecs());
    if (!absl::IsOutOfRange(found.status())) break;
  }
  if (!found.ok() || level != ReadLevel::kDurable) return found;
  return std::min(*found, std::max(log_.recovery_point(), log_.log_start()));
}

absl::StatusOr<int64_t> ReadOnlyPartitionReader::ReadableEnd(
    ReadLevel level, Isolation isolation) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = WakeUp(); !status.ok()) return status;
  const absl::StatusOr<LogBounds> bounds = BoundsAfterTries();
  if (!bounds.ok()) return bounds.status();
  const int64_t end = level == ReadLevel::kDurable
                          ? std::max(bounds->recovery_point, bounds->log_start)
                          : bounds->visible_end;
  if (isolation == Isolation::kReadUncommitted) return end;
  if (absl::Status status = CatchUp(kNoOffset, level); !status.ok())
    return status;
  return std::min(end, LastStableOffset(level));
}

// Precondition: the transactions are loaded.
int64_t ReadOnlyPartitionReader::LastStableOffset(ReadLevel level) {
  transactions_->Advance(
      {.durable_end = log_.recovery_point(), .log_start = log_.log_start()});
  return std::max(log_.log_start(),
                  transactions_->last_stable_offset(
                      level == ReadLevel::kDurable
                          ? ReadOnlyTransactions::Markers::kDurable
                          : ReadOnlyTransactions::Markers::kVisible));
}

// Notes what has been appended, until a read of `offset` is decided, or all.
// When the log is not what it was, it begins with the files again.
absl::Status ReadOnlyPartitionReader::CatchUp(int64_t offset, ReadLevel level) {
  for (int i = 0; i < kTriesMax; ++i) {
    absl::Status status = transactions_ != nullptr
                              ? NoteNews(offset, level, Known::kBefore)
                              : LoadAndNote(offset, level);
    // What is wrong otherwise may be right at the next call.
    const bool is_other_log = absl::IsOutOfRange(status) ||
                              absl::IsUnavailable(status) ||
                              absl::IsAborted(status);
    if (!is_other_log) return status;
    ForgetLog();
  }
  return absl::UnavailableError(
      absl::StrCat(path_, ": its files change as fast as they are read"));
}

// Errors: Aborted when another writer has begun meanwhile.
absl::Status ReadOnlyPartitionReader::LoadAndNote(int64_t offset,
                                                  ReadLevel level) {
  const LeaderEpochs before = ReadEpochs().value_or(LeaderEpochs());
  absl::Status status = LoadTransactions();
  if (status.ok()) status = NoteNews(offset, level, Known::kJustLoaded);
  if (!status.ok()) {
    transactions_ = nullptr;
    return status;
  }
  return ReadEpochs().value_or(LeaderEpochs()) == before
             ? absl::OkStatus()
             : absl::AbortedError(path_);
}

absl::Status ReadOnlyPartitionReader::LoadTransactions() {
  // A segment that is open may have been compacted since: what was aborted in
  // the old file is not in the index any more.
  next_.reset();
  end_.reset();
  const absl::StatusOr<LogBounds> bounds = TryBounds();
  if (!bounds.ok()) return bounds.status();
  auto loaded = std::make_unique<ReadOnlyTransactions>();
  absl::Status status =
      loaded->Load(log_.directory(), {.segment_bases = log_.segment_bases(),
                                      .log_start = bounds->log_start,
                                      .recovery_point = bounds->recovery_point,
                                      .end = bounds->visible_end});
  if (!status.ok()) return status;
  transactions_ = std::move(loaded);
  const int64_t begin = transactions_->noted_end();
  if (begin == bounds->log_start) return status;
  const absl::StatusOr<RecordBatches> before = BatchAt(begin - 1);
  if (before.ok() && !before->empty())
    transactions_->NoteBefore(before->bytes());
  return absl::IsDataLoss(before.status()) ? status : before.status();
}

// The log is not the one that was read.
void ReadOnlyPartitionReader::ForgetLog() {
  transactions_ = nullptr;
  next_.reset();
  end_.reset();
}

// Errors: Aborted when the log was cut.
absl::Status ReadOnlyPartitionReader::NoteNews(int64_t offset, ReadLevel level,
                                               Known known) {
  absl::StatusOr<Cursor> cursor = CursorFor(transactions_->noted_end());
  if (!cursor.ok()) return cursor.status();
  int64_t window_bytes = window_bytes_;
  do {
    const int64_t from = transactions_->noted_end();
    const absl::StatusOr<ReadOnlySlice> slice =
        log_.Advance(*cursor, {.offset = from,
                               .max_bytes = kNotedBytes,
                               .window_bytes = window_bytes,
                               .passes_damage = true});
    if (!slice.ok()) return slice.status();
    NoteEnd(*cursor, *slice);
    window_bytes = std::min(2 * window_bytes, kNotedBytes);
    // Up to the recovery point there may be damage, which a read reports.
    const int64_t next =
        slice->bytes.empty()
            ? std::max(cursor->place.base_offset, log_.recovery_point())
            : cursor->place.base_offset;
    const bool is_other =
        next < from || (known == Known::kBefore && !slice->bytes.empty() &&
                        !transactions_->IsContinuedBy(slice->bytes));
    if (is_other) return absl::AbortedError(path_);
    absl::Status status = NoteSlice(*cursor, *slice, next);
    if (!status.ok() || slice->bytes.empty()) return status;
  } while (offset >= LastStableOffset(level));
  return absl::OkStatus();
}

absl::Status ReadOnlyPartitionReader::NoteSlice(const Cursor& cursor,
                                                const ReadOnlySlice& slice,
                                                int64_t next) {
  if (!slice.bytes.empty()) {
    absl::Status status = transactions_->PassBase(
        log_.directory(), {.offset = cursor.segment->base_offset(),
                           .recovery_point = log_.recovery_point()});
    if (!status.ok()) return status;
  }
  return transactions_->Note(slice.bytes, next);
}

}  // namespace varve
