// SPDX-License-Identifier: Apache-2.0

// The part of a partition's log that moves its start and deletes what is before
// it.

#include <cstdint>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/partition/partition_state.h"
#include "varve/log/partition/partition_syncer.h"
#include "varve/log/system/call_gate.h"

namespace varve {

absl::Status PartitionLog::TrimBefore(int64_t offset) {
  const CallGate::Call call = calls_.Enter();
  if (!call.entered()) return state_.EndedError();
  absl::Status status = MoveLogStart(offset);
  const int64_t start = log_start();
  if (status.ok()) status = listener_->WriteCheckpoint();
  return status.ok() ? DeleteTrimmed(start) : status;
}

absl::Status PartitionLog::MoveLogStart(int64_t offset) {
  if (offset > visible_end()) return reader_.OutOfRange(offset, visible_end());
  // Syncs first, so that the log start never passes the durable end.
  if (offset > durable_end()) {
    if (absl::Status status = syncer_.SyncTo(offset); !status.ok())
      return status;
  }
  {
    absl::MutexLock lock(&mu_);
    if (state_.has_ended()) return state_.EndedError();
    if (offset <= log_start()) return absl::OkStatus();
    if (absl::Status status = listener_->BeforeFirstChange(); !status.ok())
      return status;
    // Reads of committed records that ended below it end at it now.
    const bool moves_end =
        offset > ends_.readable(ReadLevel::kDurable, Isolation::kReadCommitted);
    ends_.SetLogStart(offset);
    if (moves_end) waiters_.NotifyAll();
  }
  listener_->CheckpointChanged();
  trimmed_.TakeBefore(offset, segments_);
  return absl::OkStatus();
}

absl::Status PartitionLog::DeleteTrimmed(int64_t durable_start) {
  CHECK_LE(durable_start, log_start());
  if (trimmed_.empty()) return absl::OkStatus();
  absl::Status status = listener_->BeforeFirstChange();
  if (status.ok())
    status = trimmed_.Delete(
        durable_start,
        [=, this] { return syncer_.SyncSealedBelow(durable_start); },
        meters_->store());
  if (!status.ok()) return status;
  absl::MutexLock lock(&mu_);
  const int64_t deleted_end = trimmed_.deleted_end();
  CHECK_LE(deleted_end, log_start());
  if (!state_.has_ended()) writer_.ForgetBefore(deleted_end);
  return status;
}

}  // namespace varve
