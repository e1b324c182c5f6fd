// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_STORE_EVENTS_H_
#define VARVE_API_PARTITIONS_STORE_EVENTS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/duty/duty_bell.h"
#include "varve/api/partitions/callback_queue.h"
#include "varve/api/partitions/checkpoint_writer.h"
#include "varve/api/partitions/limit_keeper.h"
#include "varve/api/partitions/partition_parking.h"
#include "varve/log/partition/append_completion.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The reports of the partitions to their store: that they are about to change
// files, so that the mark of a clean shutdown has to be removed first; that one
// of the store's duties, whose bells are here, has something to do; and that
// callbacks are due, which the sync duty calls.
//
// Shared by the store and all of its partitions.
//
// Thread safety: thread-safe. Takes no other lock while it holds its own.
class StoreEvents final : public PartitionLogListener {
 public:
  // Whether the store's files, as they are, still need a clean shutdown
  // marked.
  enum class Marker { kPresent, kAbsent };

  StoreEvents(std::shared_ptr<Directory> directory, Marker marker)
      : directory_(std::move(directory)), marker_(marker) {}

  // Removes the mark of a clean shutdown, durably, if it is there.
  absl::Status BeforeFirstChange() override;

  void SyncWanted() override;
  void PreparationWanted() override;
  void CheckpointChanged() override;
  absl::Status WriteCheckpoint() override;
  // Writes the checkpoint without the reserve: it fails on a full disk.
  absl::Status WriteTimedCheckpoint();
  // Calls `write`, which lets files be deleted, and has room for it on a full
  // disk.
  absl::Status WriteForDeletion(absl::FunctionRef<absl::Status()> write);
  void AppendsCompleted(AppendCompletions completed) override;
  void MakeRoom() override;
  void SegmentRolled(PartitionLog& log) override;

  // Sets the objects that write the checkpoint, make room, and keep logs to
  // their limits. Call it before any partition is opened.
  void SetHandlers(std::shared_ptr<CheckpointWriter> checkpoint_writer,
                   std::shared_ptr<PartitionParking> parking,
                   std::shared_ptr<LimitKeeper> limit_keeper);

  // Sets what is called besides, without a lock, when a log has begun a
  // segment; null for nothing. Call it before any partition is opened.
  void SetSegmentBegun(std::function<void(PartitionLog&)> handler) {
    segment_begun_ = std::move(handler);
  }

  // Whether a checkpoint changed since `TakeCheckpointChanged`.
  bool checkpoint_changed() const {
    return checkpoint_changed_.load(std::memory_order_acquire);
  }
  // Call it before the checkpoints are looked at, so that none is missed.
  void TakeCheckpointChanged() {
    checkpoint_changed_.exchange(false, std::memory_order_acq_rel);
  }

  // Wakes the duty that deletes what is too old or too much: `log` has
  // something to delete before the next check of all logs.
  void RetentionWanted(PartitionLog& log) {
    log.SetRetentionWanted();
    retention_wanted_.store(true, std::memory_order_release);
    maintain_bell_.Ring();
  }
  bool TakeRetentionWanted() {
    return retention_wanted_.exchange(false, std::memory_order_acq_rel);
  }

  // Emptied by the sync duty, and at last by the store's close.
  CallbackQueue& callbacks() { return callbacks_; }

  // Rung when there is something to do before the duty's next time.
  DutyBell& prepare_bell() { return prepare_bell_; }
  DutyBell& sync_bell() { return sync_bell_; }
  DutyBell& maintain_bell() { return maintain_bell_; }

  bool marker_present() const;

 private:
  // Constant after `SetHandlers` and `SetSegmentBegun`.
  const std::shared_ptr<Directory> directory_;
  std::shared_ptr<CheckpointWriter> checkpoint_writer_;
  std::shared_ptr<PartitionParking> parking_;
  std::shared_ptr<LimitKeeper> limit_keeper_;
  std::function<void(PartitionLog&)> segment_begun_ = nullptr;

  // Set by every sync, so it is tested before a thread is woken for it.
  // Memory ordering: set after a durable end was stored; a thread that clears
  // it and then reads the durable ends finds at least that one.
  std::atomic<bool> checkpoint_changed_ = false;

  // Memory ordering: set after the log's own mark; the thread that takes it
  // finds that.
  std::atomic<bool> retention_wanted_ = false;

  mutable absl::Mutex mu_;
  Marker marker_ ABSL_GUARDED_BY(mu_);

  CallbackQueue callbacks_;

  DutyBell prepare_bell_;
  DutyBell sync_bell_;
  DutyBell maintain_bell_;
};

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_STORE_EVENTS_H_
