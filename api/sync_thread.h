// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_SYNC_THREAD_H_
#define VARVE_API_SYNC_THREAD_H_

#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/partition_table.h"
#include "api/store_events.h"
#include "log/clock.h"
#include "log/file_system.h"

namespace varve {

// The store's thread for what has to become durable though nobody waits for
// it: kInterval appends before their window is over, sealed segments with their
// indexes, and the checkpoint, at most a second behind the syncs it tells of.
// It sleeps while there is nothing to do, and blocks all signals.
//
// Borrows the table, which must outlive it.
//
// Thread safety: `Start`, once, and `Stop` from one thread.
class SyncThread {
 public:
  // How far varve.checkpoint may lag behind.
  static constexpr absl::Duration kCheckpointInterval = absl::Seconds(1);

  SyncThread(std::shared_ptr<Directory> directory, PartitionTable* partitions,
             std::shared_ptr<StoreEvents> events, Clock* clock);
  ~SyncThread() { Stop(); }

  // Errors: ResourceExhausted when there can be no more threads.
  absl::Status Start();

  SyncThread(const SyncThread&) = delete;
  SyncThread& operator=(const SyncThread&) = delete;

  // Ends the thread and waits for it. Idempotent.
  void Stop();

 private:
  void Run();
  absl::Time SyncDuePartitions();
  absl::Time WriteDueCheckpoint();

  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  PartitionTable* const partitions_;
  const std::shared_ptr<StoreEvents> events_;
  Clock* const clock_;

  // When the checkpoint may be written next. Used by the thread alone.
  absl::Time checkpoint_due_ = absl::InfinitePast();

  std::thread thread_;
};

}  // namespace varve

#endif  // VARVE_API_SYNC_THREAD_H_
