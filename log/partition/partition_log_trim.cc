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
  // Segments that are being replaced stay in the list until that is done: the
  // deletion takes them.
  absl::MutexLock replacing(compaction_.replacing().mu());
  if (compaction_.replacing().SettleLocked().ok())
    trimmed_.TakeBefore(offset, segments_);
  return absl::OkStatus();
}

absl::Status PartitionLog::DeleteTrimmed(int64_t durable_start) {
  CHECK_LE(durable_start, log_start());
  if (trimmed_.empty() && !segments_.HasBefore(durable_start))
    return absl::OkStatus();
  absl::Status status = listener_->BeforeFirstChange();
  if (status.ok()) status = DeleteTrimmedFiles(durable_start);
  if (!status.ok()) return status;
  absl::MutexLock lock(&mu_);
  const int64_t deleted_end = trimmed_.deleted_end();
  CHECK_LE(deleted_end, log_start());
  if (!state_.has_ended()) writer_.ForgetBefore(deleted_end);
  return status;
}

// Segments that are being replaced are taken when that is done. Those that were
// taken are in no replacement, so deleting them waits for none.
absl::Status PartitionLog::DeleteTrimmedFiles(int64_t durable_start) {
  {
    absl::MutexLock replacing(compaction_.replacing().mu());
    if (absl::Status status = compaction_.replacing().SettleLocked();
        !status.ok()) {
      return status;
    }
    trimmed_.TakeBefore(durable_start, segments_);
  }
  return trimmed_.Delete(
      durable_start,
      [=, this] { return syncer_.SyncSealedBelow(durable_start); },
      meters_->store());
}

}  // namespace varve
