// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_log.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/batch/batch_admission.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/compression/compression_buffers.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_completion.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_trigger.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/partition/partition_notices.h"
#include "varve/log/partition/partition_state.h"
#include "varve/log/partition/partition_stats_collection.h"
#include "varve/log/partition/partition_syncer.h"
#include "varve/log/partition/partition_writer.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/ready_segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/call_gate.h"
#include "varve/log/system/errno_status.h"

namespace varve {

PartitionLog::PartitionLog(std::unique_ptr<Directory> directory,
                           const Options& options,
                           const RecoveredLog& recovered)
    : environment_(options.environment),
      listener_(options.listener),
      open_segments_(options.open_segments),
      directory_(std::move(directory)),
      meters_(options.meters),
      segments_(directory_.get(), recovered.segment_bases,
                recovered.last_segment_size, open_segments_, &meters_->pins(),
                [listener = listener_] { listener->MakeRoom(); }),
      // The segments that a deletion left when it was cut short.
      trimmed_(directory_.get(), segments_.RemoveBefore(recovered.log_start)),
      retention_segments_(directory_.get(), &segments_, recovered.next_offset),
      ends_(recovered.log_start, recovered.next_offset),
      reader_(directory_->path(), &segments_, &ends_, options.continuity,
              options.decompressor),
      stored_compression_(options.config, options.decompressor.codecs()),
      state_(&mu_, directory_->path()),
      pending_(&mu_, directory_->path(), listener_.get(), &meters_->store()),
      config_(options.config),
      writer_(directory_.get(), &segments_, &config_, &environment_,
              &meters_->store(), recovered),
      waiters_(&ends_),
      syncer_({.mu = &mu_,
               .writer = &writer_,
               .waiters = &waiters_,
               .state = &state_,
               .pending = &pending_,
               .ends = &ends_,
               .directory = directory_.get(),
               .environment = &environment_,
               .meters = meters_.get(),
               .listener = listener_.get()},
              options.sync_interval, options.config) {
  CHECK(listener_ != nullptr);
}

PartitionLog::~PartitionLog() {
  absl::MutexLock lock(&mu_);
  if (!state_.has_ended() && writer_.is_open())
    TellNotClosed(environment_, directory_->path());
  SetActive(false);
}

absl::StatusOr<AppendResult> PartitionLog::Append(const Record& record,
                                                  Durability durability) {
  return meters_->Append(durability, [&]() -> absl::StatusOr<AppendResult> {
    const int64_t now_ms = AppendTimeMs(environment_.clock->NowMs());
    const absl::StatusOr<int64_t> timestamp_ms =
        RecordTimestampMs(record, now_ms);
    if (!timestamp_ms.ok()) return timestamp_ms.status();
    return AppendBatch(IncomingBatch(record, *timestamp_ms, now_ms), durability,
                       nullptr);
  });
}

absl::StatusOr<AppendResult> PartitionLog::Append(const EncodedBatch& batch,
                                                  Durability durability) {
  return meters_->Append(durability, [&]() -> absl::StatusOr<AppendResult> {
    if (absl::Status status = CheckBatchHeader(batch.batch()); !status.ok())
      return status;
    return AppendBatch(
        IncomingBatch(batch, AppendTimeMs(environment_.clock->NowMs())),
        durability, nullptr);
  });
}

// It takes as long as a kMemory append.
absl::StatusOr<AppendResult> PartitionLog::AppendAsync(
    const Record& record, AppendCallback callback) {
  return meters_->Append(
      Durability::kMemory, [&]() -> absl::StatusOr<AppendResult> {
        const int64_t now_ms = AppendTimeMs(environment_.clock->NowMs());
        const absl::StatusOr<int64_t> timestamp_ms =
            RecordTimestampMs(record, now_ms);
        if (!timestamp_ms.ok()) return timestamp_ms.status();
        absl::StatusOr<AppendCompletions> pending =
            pending_.Make(std::move(callback));
        if (!pending.ok()) return pending.status();
        return AppendBatch(IncomingBatch(record, *timestamp_ms, now_ms),
                           Durability::kSynced, &*pending);
      });
}

absl::StatusOr<AppendResult> PartitionLog::AppendAsync(
    const EncodedBatch& batch, AppendCallback callback) {
  return meters_->Append(
      Durability::kMemory, [&]() -> absl::StatusOr<AppendResult> {
        if (absl::Status status = CheckBatchHeader(batch.batch()); !status.ok())
          return status;
        absl::StatusOr<AppendCompletions> pending =
            pending_.Make(std::move(callback));
        if (!pending.ok()) return pending.status();
        return AppendBatch(
            IncomingBatch(batch, AppendTimeMs(environment_.clock->NowMs())),
            Durability::kSynced, &*pending);
      });
}

absl::StatusOr<AppendResult> PartitionLog::AppendBatch(
    const IncomingBatch& batch, Durability durability,
    AppendCompletions* pending) {
  return stored_compression_.keeps_all()
             ? AppendAsIs(batch, durability, pending)
             : AppendReencoded(batch, durability, pending);
}

// It takes far longer than the rest of an append, so other appends do not wait
// for it.
absl::StatusOr<AppendResult> PartitionLog::AppendReencoded(
    const IncomingBatch& batch, Durability durability,
    AppendCompletions* pending) {
  if (state_.has_ended()) return state_.EndedError();
  CompressionBuffers buffers;
  const absl::StatusOr<std::optional<EncodedBatch>> stored =
      stored_compression_.Encode(batch, buffers);
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return AppendAsIs(batch, durability, pending);
  return AppendAsIs(IncomingBatch(**stored, batch.now_ms()), durability,
                    pending);
}

absl::StatusOr<AppendResult> PartitionLog::AppendAsIs(
    const IncomingBatch& batch, Durability durability,
    AppendCompletions* pending) {
  AppendResult result;
  bool needs_sync = false;
  bool rolled = false;
  NoteUse();
  {
    absl::MutexLock lock(&mu_);
    if (!state_.is_open() || !writer_.is_open()) {
      if (absl::Status status = PrepareAppend(); !status.ok()) return status;
    }
    absl::StatusOr<PlacedBatch> placed = writer_.Append(batch);
    if (!placed.ok()) return NoteFailure(placed.status());
    DCHECK_EQ(placed->base_offset, visible_end());
    if (durability != Durability::kSynced && ends_.NoteWeakAppend())
      waiters_.NotifyAll();
    meters_->NoteBatch(batch.record_count(), batch.size());
    rolled = PublishEnd();
    result = {.offset = placed->base_offset,
              .next_offset = writer_.next_offset(),
              .timestamp = TimeOfTimestamp(placed->timestamp_ms)};
    needs_sync = syncer_.NeedsSync(durability, config_, batch.now_ms());
    if (needs_sync && pending != nullptr) {
      pending_.Add(std::move(*pending), result);
      needs_sync = syncer_.HasTooManyUnsynced();
    }
  }
  if (pending != nullptr) {
    AfterAsyncAppend(rolled, needs_sync);
    return result;
  }
  if (rolled) listener_->SegmentRolled(*this);
  if (!needs_sync) return result;
  absl::Status status = syncer_.SyncTo(result.next_offset);
  if (LeavesAllAsItWas(status)) {
    status = absl::UnavailableError(
        absl::StrCat("offset ", result.offset,
                     " is appended and not yet durable: ", status.message()));
  }
  if (!status.ok()) return status;
  return result;
}

// It is appended, and called back: whatever fails here, a repetition of the
// append would be there twice.
void PartitionLog::AfterAsyncAppend(bool rolled, bool needs_sync) {
  try {
    if (rolled) listener_->SegmentRolled(*this);
    // The callback gets the status.
    if (needs_sync) syncer_.SyncTo(visible_end()).IgnoreError();
  } catch (const std::bad_alloc&) {
    // Limits are looked at again in time, and the sync is still wanted.
  }
}

absl::Status PartitionLog::PrepareAppend() {
  while (true) {
    if (absl::Status status = state_.StatusOfWrite(); !status.ok())
      return status;
    if (writer_.is_open()) return absl::OkStatus();
    if (absl::Status status = OpenWriterUnlocked(); !status.ok()) return status;
  }
}

// A full disk or a bad argument has changed nothing; after any other failure
// the contents of the files are unknown.
absl::Status PartitionLog::NoteFailure(const absl::Status& status) {
  if (LeavesAllAsItWas(status)) return status;
  const bool is_first = state_.Poison(status);
  absl::Status poison = state_.failure();
  if (is_first) {
    waiters_.NotifyAll();
    pending_.Fail(poison);
    NotePoisoned(*meters_, environment_, directory_->path(), poison);
  }
  return poison;
}

bool PartitionLog::PublishEnd() {
  ends_.SetVisible(writer_.next_offset());
  waiters_.NotifyVisible();
  const bool rolled = writer_.TakeRolled();
  if (rolled) listener_->SyncWanted();
  if (writer_.TakePreparationDue()) {
    preparation_wanted_.store(true, std::memory_order_release);
    listener_->PreparationWanted();
  }
  return rolled;
}

void PartitionLog::PrepareAhead(int64_t budget) {
  PartitionWriter::Preparation plan;
  {
    absl::MutexLock lock(&mu_);
    if (!state_.is_open()) return;
    plan = writer_.PlanPreparation(budget);
  }
  if (plan.active == nullptr) return;
  const absl::Status prepared =
      plan.active->PrepareAhead(plan.bytes, plan.after);
  if (!prepared.ok() && plan.active->sync_failed()) {
    absl::MutexLock lock(&mu_);
    NoteFailure(prepared).IgnoreError();  // the appends return it
    return;
  }
  populated_ahead_.store(plan.active->populated_ahead(),
                         std::memory_order_relaxed);
  if (!plan.next_segment.has_value()) return;
  auto ready = ReadySegment::Create(*directory_, *plan.next_segment);
  if (!ready.ok()) return;
  absl::MutexLock lock(&mu_);
  // If removing them fails, the next open removes them.
  if (state_.has_ended() || writer_.PutReady(*std::move(ready)) != nullptr)
    ReadySegment::RemoveFiles(*directory_).IgnoreError();
}

absl::StatusOr<RecordBatches> PartitionLog::Read(int64_t offset,
                                                 const ReadOptions& options) {
  return meters_->Read([&]() -> absl::StatusOr<RecordBatches> {
    if (state_.has_ended()) return state_.EndedError();
    NoteUse();
    return UnlessEnded(reader_.Read(offset, options));
  });
}

absl::StatusOr<int64_t> PartitionLog::OffsetForTime(absl::Time time,
                                                    ReadLevel level) {
  const CallGate::Call call = calls_.Enter();
  if (!call.entered() || state_.has_ended()) return state_.EndedError();
  NoteUse();
  return UnlessEnded(reader_.OffsetForTime(time, level));
}

absl::Status PartitionLog::WaitFor(int64_t offset, absl::Time deadline,
                                   ReadLevel level) {
  if (readable_end(level) > offset) return absl::OkStatus();
  return meters_->Wait([&] { return Await(offset, deadline, level); });
}

absl::Status PartitionLog::Await(int64_t offset, absl::Time deadline,
                                 ReadLevel level) {
  bool expired = false;
  while (readable_end(level) <= offset) {
    WatermarkWaiters::Place place;
    {
      absl::MutexLock lock(&mu_);
      if (readable_end(level) > offset) break;
      if (absl::Status status = state_.StatusOfWait(); !status.ok())
        return status;
      place = waiters_.Register(level);
    }
    if (expired) {
      return absl::DeadlineExceededError(absl::StrCat(
          directory_->path(), ": no record at offset ", offset, " yet"));
    }
    expired = WatermarkWaiters::Sleep(place, deadline);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<AppendEvent>> PartitionLog::NewAppendEvent() {
  absl::StatusOr<std::shared_ptr<AppendEvent>> event = AppendEvent::Create();
  if (!event.ok()) return event;
  absl::MutexLock lock(&mu_);
  if (state_.has_ended()) return state_.EndedError();
  waiters_.Add(*event);
  return event;
}

void PartitionLog::Arm(const std::shared_ptr<AppendTrigger>& trigger,
                       int64_t offset) {
  absl::MutexLock lock(&mu_);
  waiters_.Arm(trigger, offset);
}

void PartitionLog::Disarm(AppendTrigger& trigger) {
  absl::MutexLock lock(&mu_);
  waiters_.Disarm(trigger);
}

absl::StatusOr<PartitionStats> PartitionLog::Stats() {
  const CallGate::Call call = calls_.Enter();
  if (!call.entered()) return state_.EndedError();
  PartitionStats stats;
  {
    absl::MutexLock lock(&mu_);
    if (state_.has_ended()) return state_.EndedError();
    stats = StatsInMemory(ends_, writer_.epochs(), *meters_, state_.failure());
  }
  return UnlessEnded(AddFileStats(*directory_, segments_, retention_segments_,
                                  reader_, stats));
}

absl::Status PartitionLog::Sync() {
  {
    absl::MutexLock lock(&mu_);
    if (absl::Status status = state_.StatusOfWrite(); !status.ok())
      return status;
  }
  return syncer_.SyncAllTo(visible_end());
}

absl::Status PartitionLog::Roll() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = PrepareAppend(); !status.ok()) return status;
  absl::Status status = writer_.RollIfWritten();
  if (writer_.TakeRolled()) listener_->SyncWanted();
  return status.ok() ? status : NoteFailure(status);
}

absl::Status PartitionLog::SetConfig(const LogConfig& config) {
  CHECK_OK(config.Validate());
  absl::MutexLock lock(&mu_);
  if (state_.has_ended()) return state_.EndedError();
  config_ = config;
  stored_compression_.SetConfig(config);
  reader_.NoteContinuity(ContinuityOf(config));
  syncer_.SetConfig(config);
  listener_->SyncWanted();
  if (!state_.is_open()) return absl::OkStatus();  // poisoned
  writer_.ConfigChanged();
  SetActive(writer_.is_open());
  return absl::OkStatus();
}

}  // namespace varve
