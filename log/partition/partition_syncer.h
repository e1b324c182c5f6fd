// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_SYNCER_H_
#define VARVE_LOG_PARTITION_PARTITION_SYNCER_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log_listener.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/partition/partition_state.h"
#include "varve/log/partition/partition_writer.h"
#include "varve/log/partition/pending_appends.h"
#include "varve/log/partition/watermark_waiters.h"
#include "varve/log/partition/watermarks.h"
#include "varve/log/sync/pending_sync.h"
#include "varve/log/sync/sync_schedule.h"
#include "varve/log/sync/sync_turn.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Makes the appends of a partition durable, and knows when that is due. Owned
// by the log.
//
// One sync runs at a time, in a turn of the syncer. The log's lock is held only
// before it, to copy what it has to cover, and after it, to move the durable
// end: appends continue while the disk is busy. What is appended meanwhile
// shares the next sync, which one of those that wait makes for all (a group
// commit). Nobody takes a lock to learn that its records are durable.
//
// Of the writer it uses what `BeginSync` and `EndSync` need; it never opens,
// writes or closes a segment.
//
// Thread safety: thread-safe, except where the log's lock is named. Lock order:
// `turn`, the log's.
//
// Errors of every sync: ResourceExhausted when descriptors, memory or disk ran
// out before it: nothing was lost, and a later call covers its records, too.
// Any other is the poison: the first sync that fails poisons the log.
class PartitionSyncer {
 public:
  // What it borrows of its log, which must outlive it.
  struct Parts {
    absl::Mutex* mu;  // the log's lock
    PartitionWriter* writer ABSL_PT_GUARDED_BY(mu);
    WatermarkWaiters* waiters ABSL_PT_GUARDED_BY(mu);
    PartitionState* state;    // with `mu` held
    PendingAppends* pending;  // with `mu` held
    Watermarks* ends;
    Directory* directory;
    const Environment* environment;
    PartitionMeters* meters;
    PartitionLogListener* listener;
  };

  // A kInterval append is synced before it is older than `store_interval`.
  PartitionSyncer(const Parts& log, absl::Duration store_interval,
                  const LogConfig& config);

  PartitionSyncer(const PartitionSyncer&) = delete;
  PartitionSyncer& operator=(const PartitionSyncer&) = delete;

  // Held while the disk syncs. The log holds it, too, while it opens its
  // writing end, or closes it in `Park` and `Close`: no other sync is under way
  // then.
  SyncTurn* turn() ABSL_LOCK_RETURNED(turn_) { return &turn_; }

  // Makes everything below `offset` durable.
  absl::Status SyncTo(int64_t offset) ABSL_LOCKS_EXCLUDED(turn_, log_.mu);

  // The same, and every sealed segment.
  absl::Status SyncAllTo(int64_t offset) ABSL_LOCKS_EXCLUDED(turn_, log_.mu);

  // Syncs if a segment that begins below `offset` is sealed and not synced.
  absl::Status SyncSealedBelow(int64_t offset)
      ABSL_LOCKS_EXCLUDED(turn_, log_.mu);

  // Syncs a segment that is being closed; does nothing when there is none, or
  // after a failure.
  absl::Status SyncClosing() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_)
      ABSL_LOCKS_EXCLUDED(log_.mu);

  // Notes an append, the last one of the writer, for the timer. Returns whether
  // it has to be synced before it returns. `now_ms` is the wall clock's.
  //
  // Precondition: the log's lock is held.
  bool NeedsSync(Durability durability, const LogConfig& config,
                 int64_t now_ms);

  // Whether so many sealed segments wait for their sync that an append has to
  // make it, whatever was asked.
  //
  // Precondition: the log's lock is held.
  bool HasTooManyUnsynced() const {
    AssumeLogLocked();
    return log_.writer->unsynced_sealed_count() >= kUnsyncedSealedMax;
  }

  // Takes over the limits of time of a new config.
  //
  // Precondition: the log's lock is held.
  void SetConfig(const LogConfig& config);

  // When the timer should sync next; InfiniteFuture when there is nothing to
  // do.
  absl::Time Due() ABSL_LOCKS_EXCLUDED(log_.mu);

 private:
  // Segments that wait for their last sync. Each holds three descriptors, and
  // nothing else bounds their number.
  static constexpr int64_t kUnsyncedSealedMax = 8;

  absl::Status SyncAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_)
      ABSL_LOCKS_EXCLUDED(log_.mu);
  void NoteDecided(int64_t durable_end);
  absl::Status FailSync(const PendingSync& unsynced, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(log_.mu);
  void GiveUpSync(const PendingSync& unsynced) ABSL_LOCKS_EXCLUDED(log_.mu);
  // Tells the analysis what it cannot see: that the lock which the caller, the
  // log, holds is `log_.mu`. Without a check, for the append path.
  void AssumeLogLocked() const ABSL_ASSERT_EXCLUSIVE_LOCK(log_.mu) {}

  // Constant after construction.
  const Parts log_;
  const absl::Duration store_interval_;

  SyncTurn turn_ ABSL_ACQUIRED_BEFORE(log_.mu);
  // Where the last sync that began will move the durable end. Memory ordering:
  // stored with release after it began, and loaded with acquire; a hint for
  // those that wait.
  std::atomic<int64_t> syncing_to_ = 0;

  SyncSchedule schedule_ ABSL_GUARDED_BY(log_.mu);
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_SYNCER_H_
