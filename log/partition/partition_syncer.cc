// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_syncer.h"

#include <atomic>
#include <cstdint>
#include <mutex>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/meters/stop_watch.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/partition/partition_notices.h"
#include "varve/log/partition/partition_writer.h"
#include "varve/log/producer_state/partition_producers.h"
#include "varve/log/sync/pending_sync.h"
#include "varve/log/sync/sync_schedule.h"
#include "varve/log/sync/sync_turn.h"
#include "varve/log/system/errno_status.h"

namespace varve {

PartitionSyncer::PartitionSyncer(const Parts& log,
                                 absl::Duration store_interval,
                                 const LogConfig& config)
    : log_(log),
      store_interval_(store_interval),
      schedule_(SyncInterval(store_interval, config)) {}

absl::Status PartitionSyncer::SyncTo(int64_t offset) {
  const bool leads = turn_.LockUnless(
      [=, this] { return log_.ends->durable() >= offset; },
      [=, this] {
        return syncing_to_.load(std::memory_order_acquire) >= offset;
      });
  if (!leads) return absl::OkStatus();
  const SyncTurnLock turn(std::adopt_lock, &turn_);
  return log_.ends->durable() >= offset ? absl::OkStatus() : SyncAll();
}

absl::Status PartitionSyncer::SyncAllTo(int64_t offset) {
  const SyncTurnLock turn(&turn_);
  if (log_.ends->durable() >= offset) {
    absl::MutexLock lock(log_.mu);
    // The AppendAsync of what was there before waits for a sync, too.
    if (!log_.writer->has_unsynced_sealed() && !log_.pending->has_waiting())
      return absl::OkStatus();
  }
  return SyncAll();
}

absl::Status PartitionSyncer::SyncSealedBelow(int64_t offset) {
  const SyncTurnLock turn(&turn_);
  {
    absl::MutexLock lock(log_.mu);
    if (!log_.writer->has_unsynced_sealed_below(offset))
      return absl::OkStatus();
  }
  return SyncAll();
}

absl::Status PartitionSyncer::SyncClosing() {
  {
    absl::MutexLock lock(log_.mu);
    if (!log_.state->failure().ok() || !log_.writer->is_closing())
      return absl::OkStatus();
  }
  return SyncAll();
}

absl::Status PartitionSyncer::SyncAll() {
  PendingSync unsynced;
  PartitionMeters::Unsynced appended;
  {
    absl::MutexLock lock(log_.mu);
    if (absl::Status failure = log_.state->failure(); !failure.ok())
      return failure;
    unsynced = log_.writer->BeginSync();
    syncing_to_.store(unsynced.end_offset, std::memory_order_release);
    appended = log_.meters->unsynced();
    schedule_.BeginSync();
    log_.pending->BeginSync();
  }
  const StopWatch watch = log_.meters->BeginSync();
  absl::Status status;
  try {
    status = unsynced.Sync(*log_.directory);
  } catch (...) {
    GiveUpSync(unsynced);
    throw;
  }
  if (!status.ok()) return FailSync(unsynced, status);
  {
    absl::MutexLock lock(log_.mu);
    log_.writer->EndSync(unsynced, PartitionWriter::SyncEnd::kSynced);
    schedule_.EndSync();
    log_.meters->TakeOff(appended);
    log_.ends->SetDurable(unsynced.end_offset);
    NoteDecided(unsynced.end_offset);
    log_.pending->EndSync();
    log_.waiters->NotifyDurable();
  }
  log_.listener->CheckpointChanged();
  NoteSync(*log_.meters, *log_.environment, log_.directory->path(), appended,
           watch);
  return absl::OkStatus();
}

// Transactions whose markers are durable now are decided for good.
void PartitionSyncer::NoteDecided(int64_t durable_end) {
  AssumeLogLocked();
  PartitionProducers& producers = log_.writer->producers();
  if (!producers.has_ended()) return;
  producers.Advance(durable_end);
  log_.ends->SetUndecided(producers.undecided());
}

// The only place that decides whether a failed sync poisons the log.
absl::Status PartitionSyncer::FailSync(const PendingSync& unsynced,
                                       const absl::Status& status) {
  GiveUpSync(unsynced);
  if (LeavesAllAsItWas(status)) return status;
  bool is_first = false;
  absl::Status poison;
  {
    absl::MutexLock lock(log_.mu);
    is_first = log_.state->Poison(status);
    if (is_first) log_.waiters->NotifyAll();
    poison = log_.state->failure();
    log_.pending->Fail(poison);
  }
  if (is_first) {
    log_.meters->store().sync_errors.Add(poison);
    NotePoisoned(*log_.meters, *log_.environment, log_.directory->path(),
                 poison);
  }
  return poison;
}

void PartitionSyncer::GiveUpSync(const PendingSync& unsynced) {
  absl::MutexLock lock(log_.mu);
  log_.writer->EndSync(unsynced, PartitionWriter::SyncEnd::kNotSynced);
  schedule_.GiveUpSync(log_.environment->clock->Steady());
  log_.pending->GiveUpSync();
  // Whoever looked at `Due` during the sync found nothing to do.
  log_.listener->SyncWanted();
}

bool PartitionSyncer::NeedsSync(Durability durability, const LogConfig& config,
                                int64_t now_ms) {
  if (durability == Durability::kSynced) return true;
  AssumeLogLocked();
  if (HasTooManyUnsynced()) return true;
  const int64_t unsynced_count =
      log_.writer->next_offset() - log_.ends->durable();
  DCHECK_GE(unsynced_count, 0);
  if (unsynced_count >= config.flush_messages) return true;
  const bool is_timed = durability == Durability::kInterval ||
                        config.flush_ms != LogConfig::kForever;
  if (!is_timed || !schedule_.TakeLookDue(now_ms)) return false;
  const absl::Time now = log_.environment->clock->Steady();
  if (schedule_.NoteAppend(now)) log_.listener->SyncWanted();
  return schedule_.IsOverdue(now);
}

void PartitionSyncer::SetConfig(const LogConfig& config) {
  log_.mu->AssertHeld();
  schedule_.set_interval(SyncInterval(store_interval_, config));
}

absl::Time PartitionSyncer::Due() {
  absl::MutexLock lock(log_.mu);
  if (!log_.state->is_open()) return absl::InfiniteFuture();
  if (log_.writer->has_unsynced_sealed() || log_.pending->has_waiting())
    return schedule_.not_before();
  return schedule_.Due();
}

}  // namespace varve
