// SPDX-License-Identifier: Apache-2.0

#include "api/sync_duty.h"

#include <algorithm>
#include <memory>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/duty_notices.h"
#include "api/partition_table.h"
#include "api/store_events.h"
#include "log/environment.h"
#include "log/log_meters.h"
#include "log/partition_log.h"

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
  const absl::Time sync_due = SyncDuePartitions(stop);
  return std::min(sync_due, WriteDueCheckpoint());
}

// Syncs what is due; returns when the next sync will be.
absl::Time SyncDuty::SyncDuePartitions(const std::stop_token& stop) {
  absl::Time next = absl::InfiniteFuture();
  for (const std::shared_ptr<PartitionLog>& log : partitions_->opened()) {
    if (stop.stop_requested()) break;
    if (log->SyncDue() <= clock_->Steady()) {
      const absl::Status status = log->Sync();
      // After any other failure the log is poisoned, has said so, and tells
      // its writers.
      if (absl::IsResourceExhausted(status))
        NoteDutyFailure(environment_, *meters_, "sync", status);
    }
    next = std::min(next, log->SyncDue());
  }
  return next;
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
  // The old checkpoint is a lower bound still; the next round tries again.
  NoteDutyFailure(environment_, *meters_, "checkpoint", status);
  events_->CheckpointChanged();
  return checkpoint_due_;
}

}  // namespace varve
