// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_log.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_trigger.h"
#include "varve/log/partition/partition_compaction.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/partition/partition_notices.h"
#include "varve/log/partition/partition_state.h"
#include "varve/log/partition/partition_stats_collection.h"
#include "varve/log/partition/partition_syncer.h"
#include "varve/log/partition/partition_writer.h"
#include "varve/log/producer/producer_position.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer_state/aborted_transactions.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/ready_segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/call_gate.h"

namespace varve {
namespace {

// As long as the log is being made, nobody else knows it.
std::shared_ptr<AbortedTransactions> AbortedOf(const PartitionWriter& writer)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return writer.producers().aborted();
}

}  // namespace

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
      reader_({.path = directory_->path(),
               .segments = &segments_,
               .ends = &ends_,
               .decompressor = options.decompressor},
              options.continuity),
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
              options.sync_interval, options.config),
      compaction_({.mu = &mu_,
                   .writer = &writer_,
                   .config = &config_,
                   .state = &state_,
                   .calls = &calls_,
                   .ends = &ends_,
                   .segments = &segments_,
                   .retention_segments = &retention_segments_,
                   .directory = directory_.get(),
                   .environment = &environment_,
                   .listener = listener_.get(),
                   .codecs = options.decompressor.codecs(),
                   .aborted = AbortedOf(writer_)},
                  recovered.first_dirty) {
  CHECK(listener_ != nullptr);
  absl::MutexLock lock(&mu_);
  reader_.SetAborted(writer_.producers().aborted());
  ends_.SetUndecided(writer_.producers().undecided());
}

PartitionLog::~PartitionLog() {
  absl::MutexLock lock(&mu_);
  if (!state_.has_ended() && writer_.is_open())
    TellNotClosed(environment_, directory_->path());
  SetActive(false);
}

void PartitionLog::SetActive(bool active) {
  if (is_active_.exchange(active, std::memory_order_relaxed) == active) return;
  open_segments_->active.fetch_add(active ? 1 : -1, std::memory_order_relaxed);
}

bool PartitionLog::holds_segments() const {
  return is_active_.load(std::memory_order_relaxed) ||
         segments_.open_count() > 0;
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
                                   ReadLevel level, Isolation isolation) {
  if (readable_end(level, isolation) > offset) return absl::OkStatus();
  return meters_->Wait(
      [&] { return Await(offset, deadline, level, isolation); });
}

absl::Status PartitionLog::Await(int64_t offset, absl::Time deadline,
                                 ReadLevel level, Isolation isolation) {
  bool expired = false;
  while (readable_end(level, isolation) <= offset) {
    WatermarkWaiters::Place place;
    {
      absl::MutexLock lock(&mu_);
      if (readable_end(level, isolation) > offset) break;
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
    stats.clean_end =
        std::max(stats.log_start, compaction_.first_dirty().value_or(0));
  }
  return UnlessEnded(AddFileStats(*directory_, segments_, retention_segments_,
                                  reader_, stats));
}

std::optional<int32_t> PartitionLog::EpochAt(int64_t offset) const {
  absl::MutexLock lock(&mu_);
  if (offset < log_start() || offset >= visible_end()) return std::nullopt;
  return writer_.epochs().EpochAt(offset);
}

std::optional<int64_t> PartitionLog::EpochEndOffset(int32_t epoch) const {
  absl::MutexLock lock(&mu_);
  return writer_.epochs().EndOffset(epoch, visible_end());
}

absl::StatusOr<std::optional<ProducerPosition>> PartitionLog::FindProducer(
    int64_t producer_id) const {
  absl::MutexLock lock(&mu_);
  if (state_.has_ended()) return state_.EndedError();
  const ProducerState* const found =
      writer_.producers().states().Find(producer_id);
  return found == nullptr ? std::nullopt : std::optional(found->position());
}

void PartitionLog::ExpireProducers(
    const ProducerStates::Expiration& expiration) {
  absl::MutexLock lock(&mu_);
  writer_.producers().Expire(expiration);
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
