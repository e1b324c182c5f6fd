// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_LOG_LISTENER_H_
#define VARVE_LOG_PARTITION_PARTITION_LOG_LISTENER_H_

#include "absl/status/status.h"
#include "varve/log/partition/append_completion.h"

namespace varve {

class PartitionLog;

// What a partition's log reports to its store, and asks it to do.
//
// Thread safety: called from any thread, with some of the partition's locks
// held unless a method says otherwise: do not call back.
class PartitionLogListener {
 public:
  virtual ~PartitionLogListener() = default;

  // Called before the log first changes a file. If it fails, the log changes
  // nothing, and the call that needed the change returns this error.
  virtual absl::Status BeforeFirstChange() = 0;

  // Called when `SyncDue` has become earlier.
  virtual void SyncWanted() = 0;

  // Called when `TakePreparationWanted` would return true.
  virtual void PreparationWanted() = 0;

  // Called when `checkpoint` has changed, and after every sync.
  virtual void CheckpointChanged() = 0;

  // Takes appends that have ended, and whose callbacks are due. It calls them
  // later, without a lock, in the order in which they come.
  virtual void AppendsCompleted(AppendCompletions completed) = 0;

  // Called, without a lock, before the log opens files that it does not hold
  // open.
  virtual void MakeRoom() = 0;

  // Called by an append that has begun a new segment, after which the log may
  // exceed its limits. Called without a lock; the append returns after it.
  virtual void SegmentRolled(PartitionLog& log) = 0;

  // Makes the present `checkpoint` of the log durable. Called without a lock.
  virtual absl::Status WriteCheckpoint() = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_LOG_LISTENER_H_
