// SPDX-License-Identifier: Apache-2.0

#include "log/partition_log.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/batch_placement.h"
#include "log/durability.h"
#include "log/encoded_batch.h"
#include "log/partition_recovery.h"
#include "log/partition_writer.h"
#include "log/record.h"
#include "log/record_batches.h"
#include "log/record_timestamp.h"
#include "log/segment_list.h"
#include "log/segment_read.h"

namespace varve {
namespace {

absl::Time FromTimestamp(int64_t timestamp_ms) {
  return timestamp_ms < 0 ? absl::InfinitePast()
                          : absl::FromUnixMillis(timestamp_ms);
}

// A failed sync must not look like a full disk or a bad argument, which leave
// the log as it was and invite another try.
absl::Status AsPoison(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status) && !absl::IsInvalidArgument(status)) {
    return status;
  }
  return absl::UnknownError(status.message());
}

// flush.ms is a bound for every append; the store's interval for kInterval
// ones.
absl::Duration SyncInterval(const PartitionLog::Options& options) {
  if (options.config.flush_ms == LogConfig::kForever)
    return options.sync_interval;
  return std::min(options.sync_interval,
                  absl::Milliseconds(options.config.flush_ms));
}

}  // namespace

PartitionLog::PartitionLog(std::unique_ptr<Directory> directory,
                           const Options& options,
                           const RecoveredLog& recovered)
    : options_(options),
      sync_interval_(SyncInterval(options)),
      directory_(std::move(directory)),
      log_start_(recovered.log_start),
      segments_(directory_.get(), recovered.segment_bases,
                recovered.last_segment_size),
      visible_end_(recovered.next_offset),
      durable_end_(recovered.next_offset),
      writer_(directory_.get(), &segments_, &options_.config,
              &options_.environment, recovered) {
  CHECK(options_.listener != nullptr);
}

PartitionLog::~PartitionLog() {
  absl::MutexLock lock(&mu_);
  if (!closed_ && writer_.ready()) {
    LOG(ERROR) << directory_->path()
               << ": destroyed without Close; it will be recovered";
  }
}

absl::StatusOr<AppendResult> PartitionLog::Append(const Record& record,
                                                  Durability durability) {
  const absl::Time now = options_.environment.clock->Now();
  const int64_t now_ms = absl::ToUnixMillis(now);
  const absl::StatusOr<int64_t> timestamp_ms =
      RecordTimestampMs(record, now_ms);
  if (!timestamp_ms.ok()) return timestamp_ms.status();
  return AppendBatch({.size = SingleRecordBatchSize(record),
                      .max_timestamp_ms = *timestamp_ms,
                      .now_ms = now_ms},
                     durability,
                     [&](const BatchPlacement& placement, char* at) {
                       PlaceRecord(record, *timestamp_ms, placement, at);
                     });
}

absl::StatusOr<AppendResult> PartitionLog::Append(const EncodedBatch& batch,
                                                  Durability durability) {
  return AppendBatch(
      {.size = batch.size_bytes(),
       .last_offset_delta = batch.batch().last_offset_delta(),
       .max_timestamp_ms = batch.batch().max_timestamp_ms(),
       .now_ms = absl::ToUnixMillis(options_.environment.clock->Now())},
      durability, [&](const BatchPlacement& placement, char* at) {
        PlaceBatch(batch, placement, at);
      });
}

absl::StatusOr<AppendResult> PartitionLog::AppendBatch(
    const IncomingBatch& batch, Durability durability,
    absl::FunctionRef<void(const BatchPlacement&, char*)> place) {
  AppendResult result;
  bool needs_sync = false;
  {
    absl::MutexLock lock(&mu_);
    if (absl::Status status = PrepareAppend(); !status.ok()) return status;
    absl::StatusOr<PlacedBatch> placed = writer_.Append(batch, place);
    if (!placed.ok()) return NoteFailure(placed.status());
    PublishEnd();
    result = {.offset = placed->base_offset,
              .timestamp = FromTimestamp(placed->timestamp_ms)};
    needs_sync = NeedsSync(durability);
  }
  if (needs_sync) {
    absl::Status status = SyncTo(result.offset + batch.last_offset_delta + 1);
    if (!status.ok()) return status;
  }
  return result;
}

absl::Status PartitionLog::PrepareAppend() {
  if (closed_)
    return absl::FailedPreconditionError(
        absl::StrCat(directory_->path(), ": closed"));
  if (!failure_.ok()) return failure_;
  if (writer_.ready()) return absl::OkStatus();
  if (absl::Status status = options_.listener->BeforeFirstChange();
      !status.ok())
    return status;
  return writer_.Prepare();
}

// A full disk or a bad argument changed nothing; after anything else, nobody
// knows what the files hold.
absl::Status PartitionLog::NoteFailure(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status) && !absl::IsInvalidArgument(status))
    failure_ = status;
  return status;
}

void PartitionLog::PublishEnd() {
  visible_end_.store(writer_.next_offset(), std::memory_order_release);
  if (waiter_count_ > 0) visible_end_changed_.SignalAll();
  if (writer_.has_unsynced_sealed()) options_.listener->SyncWanted();
}

bool PartitionLog::NeedsSync(Durability durability) {
  const int64_t unsynced_count = writer_.next_offset() - durable_end();
  if (unsynced_count >= options_.config.flush_messages) return true;
  switch (durability) {
    case Durability::kMemory:
      if (options_.config.flush_ms == LogConfig::kForever) return false;
      [[fallthrough]];
    case Durability::kInterval:
      return IsOverdue(options_.environment.clock->Steady());
    case Durability::kSynced:
      return true;
  }
  return true;
}

// Takes note that there is something to sync, and says whether the window of
// the oldest such append, also one that is being synced just now, is over.
bool PartitionLog::IsOverdue(absl::Time now) {
  // Also when a clock was set back: the window would be stretched.
  if (now < unsynced_since_) {
    unsynced_since_ = now;
    options_.listener->SyncWanted();
  }
  return now - std::min(unsynced_since_, syncing_since_) > sync_interval_;
}

absl::StatusOr<RecordBatches> PartitionLog::Read(int64_t offset,
                                                 const ReadOptions& options) {
  if (closed_for_reads_.load(std::memory_order_relaxed)) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory_->path(), ": closed"));
  }
  const int64_t end = visible_end();
  if (offset < log_start_ || offset > end) {
    return absl::OutOfRangeError(
        absl::StrCat(directory_->path(), ": offset ", offset,
                     " is out of range: the log starts at ", log_start_,
                     " and ends before ", end));
  }
  if (offset == end) return RecordBatches(offset);
  return ReadFrom(offset, end, options);
}

absl::StatusOr<RecordBatches> PartitionLog::ReadFrom(
    int64_t offset, int64_t end, const ReadOptions& options) {
  const Continuity continuity = ContinuityOf(options_.config);
  int64_t look_at = offset;
  while (true) {
    absl::StatusOr<SegmentList::Found> found = segments_.Find(look_at);
    if (absl::IsNotFound(found.status())) {
      return absl::DataLossError(absl::StrCat(
          found.status().message(), "; the next readable offset is ",
          segments_.first_base_offset().value_or(end)));
    }
    if (!found.ok()) return found.status();
    absl::StatusOr<SegmentSlice> slice =
        ReadSegment(*found->segment, {.offset = offset,
                                      .max_bytes = options.max_bytes,
                                      .end_offset = end,
                                      .crc = options.crc,
                                      .continuity = continuity});
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

absl::Status PartitionLog::WaitFor(int64_t offset, absl::Time deadline) {
  if (visible_end() > offset) return absl::OkStatus();
  absl::MutexLock lock(&mu_);
  ++waiter_count_;
  bool expired = false;
  while (writer_.next_offset() <= offset && !closed_ && !expired) {
    expired = visible_end_changed_.WaitWithDeadline(&mu_, deadline);
  }
  --waiter_count_;
  if (writer_.next_offset() > offset) return absl::OkStatus();
  if (closed_)
    return absl::CancelledError(absl::StrCat(directory_->path(), ": closed"));
  return absl::DeadlineExceededError(absl::StrCat(
      directory_->path(), ": no record at offset ", offset, " yet"));
}

absl::Status PartitionLog::Sync() {
  {
    absl::MutexLock lock(&mu_);
    if (!failure_.ok()) return failure_;
  }
  return SyncTo(visible_end());
}

absl::Status PartitionLog::SyncTo(int64_t offset) {
  absl::MutexLock sync(&sync_mu_);
  if (durable_end() >= offset) {
    absl::MutexLock lock(&mu_);
    if (!writer_.has_unsynced_sealed()) return absl::OkStatus();
  }
  PartitionWriter::Unsynced unsynced;
  {
    absl::MutexLock lock(&mu_);
    if (!failure_.ok()) return failure_;
    unsynced = writer_.TakeUnsynced();
    syncing_since_ = std::exchange(unsynced_since_, absl::InfiniteFuture());
  }
  const absl::Status status = AsPoison(SyncFiles(unsynced));
  {
    absl::MutexLock lock(&mu_);
    syncing_since_ = absl::InfiniteFuture();
    if (failure_.ok()) failure_ = status;
  }
  if (!status.ok()) return status;
  durable_end_.store(unsynced.end_offset, std::memory_order_release);
  options_.listener->CheckpointChanged();
  return absl::OkStatus();
}

absl::Status PartitionLog::SyncFiles(
    const PartitionWriter::Unsynced& unsynced) {
  for (const std::shared_ptr<Segment>& segment : unsynced.sealed) {
    if (absl::Status status = segment->SyncSealed(); !status.ok()) {
      return status;
    }
  }
  if (unsynced.directory) {
    if (absl::Status status = directory_->Sync(); !status.ok()) return status;
  }
  return unsynced.active == nullptr ? absl::OkStatus()
                                    : unsynced.active->Sync();
}

absl::Time PartitionLog::SyncDue() {
  absl::MutexLock lock(&mu_);
  if (!failure_.ok() || closed_) return absl::InfiniteFuture();
  if (writer_.has_unsynced_sealed()) return absl::InfinitePast();
  // Half-way through the window: the sync itself takes time.
  return unsynced_since_ + sync_interval_ / 2;
}

absl::Status PartitionLog::Close() {
  bool changed = false;
  {
    absl::MutexLock lock(&mu_);
    if (closed_) return failure_;
    closed_ = true;
    closed_for_reads_.store(true, std::memory_order_relaxed);
    visible_end_changed_.SignalAll();
    if (!failure_.ok()) return failure_;
    changed = writer_.needs_close();
    absl::Status status = changed && !writer_.ready()
                              ? options_.listener->BeforeFirstChange()
                              : absl::OkStatus();
    if (status.ok()) status = writer_.Close();
    if (!status.ok()) failure_ = status;
    if (!status.ok()) return status;
  }
  return changed ? Sync() : absl::OkStatus();
}

}  // namespace varve
