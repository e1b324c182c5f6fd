// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/sync_duty.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/store_events.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/environment.h"

namespace varve {

SyncDuty::SyncDuty(PartitionTable* partitions,
                   std::shared_ptr<StoreEvents> events,
                   const Environment& environment, LogMeters* meters)
    : partitions_(partitions),
      events_(std::move(events)),
      environment_(environment),
      clock_(environment.clock),
      meters_(meters) {}

absl::Time SyncDuty::Run(const std::stop_token& stop) {
  absl::Time next = absl::InfiniteFuture();
  int64_t called = events_->callbacks().CallDue();
  for (const std::shared_ptr<PartitionLog>& log : partitions_->opened()) {
    if (stop.stop_requested()) break;
    if (log->SyncDue() <= clock_->Steady()) {
      Sync(*log);
      // Those of one partition do not wait for the sync of the next.
      called += events_->callbacks().CallDue();
    }
    next = std::min(next, log->SyncDue());
  }
  next = std::min(next, WriteDueCheckpoint());
  // They may have appended to a partition that was looked at before.
  return called > 0 ? clock_->Steady() : next;
}

void SyncDuty::Sync(PartitionLog& log) {
  const absl::Status status = log.Sync();
  // After any other failure the log is poisoned, has reported that, and returns
  // it to its writers.
  if (absl::IsResourceExhausted(status))
    NoteDutyFailure(environment_, *meters_, "sync", status);
}

// Writes the checkpoint if it has changed and is due; returns when to look
// again.
absl::Time SyncDuty::WriteDueCheckpoint() {
  if (!events_->checkpoint_changed()) return absl::InfiniteFuture();
  if (clock_->Steady() < checkpoint_due_) return checkpoint_due_;
  checkpoint_due_ = clock_->Steady() + kCheckpointInterval;
  events_->TakeCheckpointChanged();
  absl::Status status;
  try {
    status = events_->WriteTimedCheckpoint();
  } catch (...) {
    events_->CheckpointChanged();
    throw;
  }
  if (status.ok()) return absl::InfiniteFuture();
  // The old checkpoint is still a lower bound; the next round tries again.
  NoteDutyFailure(environment_, *meters_, "checkpoint", status);
  events_->CheckpointChanged();
  return checkpoint_due_;
}

}  // namespace varve
