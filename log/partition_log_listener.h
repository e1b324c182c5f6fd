// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_LOG_LISTENER_H_
#define VARVE_LOG_PARTITION_LOG_LISTENER_H_

#include "absl/status/status.h"

namespace varve {

class PartitionLog;

// What a partition's log tells its store.
//
// Thread safety: called from any thread, some of the partition's locks held
// (but for those that say otherwise): do not call back.
class PartitionLogListener {
 public:
  virtual ~PartitionLogListener() = default;

  // Before the log first changes a file. Not OK: it changes nothing and the
  // call that wanted to fails with this.
  virtual absl::Status BeforeFirstChange() = 0;

  // `SyncDue` has become earlier.
  virtual void SyncWanted() = 0;

  // `TakePreparationWanted` would say yes.
  virtual void PreparationWanted() = 0;

  // `checkpoint` has changed. Called after every sync.
  virtual void CheckpointChanged() = 0;

  // Before the log opens files that it does not hold open. Called without a
  // lock.
  virtual void MakeRoom() = 0;

  // The append that called it has begun a new segment: the log may have too
  // much for its limits. Called without a lock; the append returns after it.
  virtual void SegmentRolled(PartitionLog& log) = 0;

  // Makes the present `checkpoint` of the log durable. Called without a lock.
  virtual absl::Status WriteCheckpoint() = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_LOG_LISTENER_H_
