// SPDX-License-Identifier: Apache-2.0

// The part of a partition's log that gives up its front.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "log/call_gate.h"
#include "log/partition_log.h"

namespace varve {

absl::Status PartitionLog::TrimBefore(int64_t offset) {
  const CallGate::Call call = calls_.Enter();
  if (!call.entered()) return ClosedError();
  absl::Status status = MoveLogStart(offset);
  const int64_t start = log_start();
  if (status.ok()) status = listener_->WriteCheckpoint();
  return status.ok() ? DeleteTrimmed(start) : status;
}

absl::Status PartitionLog::MoveLogStart(int64_t offset) {
  if (offset > visible_end()) return reader_.OutOfRange(offset, visible_end());
  // So the log start never passes the durable end.
  if (offset > durable_end()) {
    if (absl::Status status = SyncTo(offset); !status.ok()) return status;
  }
  {
    absl::MutexLock lock(&mu_);
    if (closed_) return ClosedError();
    if (offset <= log_start()) return absl::OkStatus();
    if (absl::Status status = listener_->BeforeFirstChange(); !status.ok())
      return status;
    ends_.SetLogStart(offset);
  }
  listener_->CheckpointChanged();
  trimmed_.TakeBefore(offset, segments_);
  return absl::OkStatus();
}

absl::Status PartitionLog::DeleteTrimmed(int64_t durable_start) {
  if (trimmed_.empty()) return absl::OkStatus();
  absl::Status status = listener_->BeforeFirstChange();
  if (status.ok())
    status = trimmed_.Delete(
        durable_start, [=, this] { return SyncSealedBelow(durable_start); },
        meters_->store());
  if (!status.ok()) return status;
  absl::MutexLock lock(&mu_);
  if (!closed_) writer_.ForgetEpochsBefore(trimmed_.deleted_end());
  return status;
}

}  // namespace varve
