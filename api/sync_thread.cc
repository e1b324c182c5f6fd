// SPDX-License-Identifier: Apache-2.0

#include "api/sync_thread.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/partition_table.h"
#include "api/store_events.h"
#include "api/store_files.h"
#include "log/partition_log.h"

namespace varve {
namespace {

// Starts `body` on a thread that no signal of the program is delivered to.
//
// Errors: ResourceExhausted when there can be no more threads.
template <typename Body>
absl::StatusOr<std::thread> StartWithSignalsBlocked(Body body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  absl::StatusOr<std::thread> thread;
  try {
    thread = std::thread(std::move(body));
  } catch (const std::system_error& error) {
    thread = absl::ResourceExhaustedError(
        absl::StrCat("a thread cannot be started: ", error.what()));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

SyncThread::SyncThread(std::shared_ptr<Directory> directory,
                       PartitionTable* partitions,
                       std::shared_ptr<StoreEvents> events, Clock* clock)
    : directory_(std::move(directory)),
      partitions_(partitions),
      events_(std::move(events)),
      clock_(clock) {}

absl::Status SyncThread::Start() {
  absl::StatusOr<std::thread> thread =
      StartWithSignalsBlocked([this] { Run(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void SyncThread::Stop() {
  if (!thread_.joinable()) return;
  events_->Stop();
  thread_.join();
}

void SyncThread::Run() {
  while (!events_->stopped()) {
    const absl::Time sync_due = SyncDuePartitions();
    const absl::Time checkpoint_due = WriteDueCheckpoint();
    events_->Wait(std::min(sync_due, checkpoint_due) - clock_->Steady());
  }
}

// Syncs what is due; returns when the next sync will be.
absl::Time SyncThread::SyncDuePartitions() {
  absl::Time next = absl::InfiniteFuture();
  for (const std::shared_ptr<PartitionLog>& log : partitions_->opened()) {
    if (log->SyncDue() <= clock_->Steady()) {
      absl::Status status = log->Sync();
      // The log is poisoned now, so its writers learn of it too.
      if (!status.ok()) LOG(ERROR) << status;
    }
    next = std::min(next, log->SyncDue());
  }
  return next;
}

// Writes the checkpoint if it has changed and is due; returns when to look
// again.
absl::Time SyncThread::WriteDueCheckpoint() {
  if (!events_->checkpoint_changed()) return absl::InfiniteFuture();
  if (clock_->Steady() < checkpoint_due_) return checkpoint_due_;
  checkpoint_due_ = clock_->Steady() + kCheckpointInterval;
  events_->TakeCheckpointChanged();
  absl::Status status =
      WriteStoreCheckpoint(*directory_, partitions_->checkpoint());
  if (status.ok()) return absl::InfiniteFuture();
  // The old checkpoint is a lower bound still; the next round tries again.
  LOG(WARNING) << status;
  events_->CheckpointChanged();
  return checkpoint_due_;
}

}  // namespace varve
