// SPDX-License-Identifier: Apache-2.0

// The part of a partition's log that opens its files for appends and closes
// them again, between the syncs: at the first append, when it is parked, closed
// or deleted.

#include <new>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/partition/partition_state.h"
#include "varve/log/partition/partition_syncer.h"
#include "varve/log/partition/partition_writer.h"
#include "varve/log/sync/sync_turn.h"
#include "varve/log/system/call_gate.h"

namespace varve {
namespace {

// Releases a mutex that is held, for as long as it lives.
class Released {
 public:
  explicit Released(absl::Mutex* mu) ABSL_NO_THREAD_SAFETY_ANALYSIS : mu_(mu) {
    mu_->Unlock();
  }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;
  ~Released() ABSL_NO_THREAD_SAFETY_ANALYSIS { mu_->Lock(); }

 private:
  absl::Mutex* const mu_;
};

}  // namespace

absl::Status PartitionLog::OpenWriterUnlocked() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const Released released(&mu_);
  return OpenWriter();
}

// Takes the turn, so that a segment that is being closed, by `Park` or
// for a new config, is not opened again before it is synced and trimmed.
absl::Status PartitionLog::OpenWriter() {
  listener_->MakeRoom();
  const SyncTurnLock turn(syncer_.turn());
  if (absl::Status status = syncer_.SyncClosing(); !status.ok()) return status;
  absl::MutexLock lock(&mu_);
  if (!state_.is_open() || writer_.is_open()) return absl::OkStatus();
  // Opened and closed again, for a new config, since that sync: the caller
  // comes again.
  if (writer_.is_closing()) return absl::OkStatus();
  absl::Status status = listener_->BeforeFirstChange();
  if (status.ok()) status = directory_->KeepOpen();
  if (status.ok()) status = writer_.Open();
  if (!status.ok()) {
    directory_->LetGo();
    return MissingAsLoss(status);
  }
  CHECK(writer_.is_open());
  SetActive(true);
  return absl::OkStatus();
}

absl::Status PartitionLog::MissingAsLoss(const absl::Status& status) const {
  if (!absl::IsNotFound(status)) return status;
  return state_.has_ended() ? state_.EndedError()
                            : absl::DataLossError(status.message());
}

absl::Status PartitionLog::Park() {
  const CallGate::Call call = calls_.Enter();
  if (!call.entered()) return state_.EndedError();
  const SyncTurnLock turn(syncer_.turn());
  {
    absl::MutexLock lock(&mu_);
    if (writer_.is_open()) {
      if (!state_.is_open()) return state_.failure();
      absl::Status status = writer_.Close();
      if (!status.ok()) return NoteFailure(status);
      SetActive(false);
    }
  }
  if (absl::Status status = syncer_.SyncClosing(); !status.ok()) return status;
  absl::MutexLock lock(&mu_);
  // What a failed sync has left without a name can be read only while it is
  // open.
  if (!writer_.is_open() && !writer_.has_unnamed()) {
    segments_.CloseAll();
    directory_->LetGo();
  }
  return absl::OkStatus();
}

// Waits for the syncs under way first, also that of a `Park`: their result
// decides. After a call that threw, the next one does the rest.
absl::Status PartitionLog::Close() {
  calls_.CloseAndWait();
  {
    absl::MutexLock lock(&mu_);
    if (!state_.has_ended()) state_.BeginClose();
    waiters_.NotifyEnded();
  }
  const absl::Status settled = compaction_.replacing().Settle();
  const SyncTurnLock turn(syncer_.turn());
  {
    absl::MutexLock lock(&mu_);
    if (!state_.is_closing()) return state_.failure();
    absl::Status status = CloseWriter();
    status.Update(settled);
    if (!status.ok()) {
      EndClose(status);
      return status;
    }
  }
  const absl::Status status = syncer_.SyncClosing();
  absl::MutexLock lock(&mu_);
  EndClose(status);
  directory_->LetGo();
  return state_.failure();
}

void PartitionLog::EndClose(const absl::Status& status) {
  // Making it may throw, and leaves the rest to the next call of `Close`.
  const absl::Status cancelled = state_.StatusOfWait();
  state_.EndClose(status);
  pending_.Fail(cancelled);
}

absl::Status PartitionLog::CloseWriter() {
  if (!writer_.needs_close()) return absl::OkStatus();
  absl::Status status =
      writer_.is_open() ? absl::OkStatus() : listener_->BeforeFirstChange();
  if (status.ok()) status = writer_.Close();
  SetActive(false);
  return status;
}

void PartitionLog::Abandon() {
  absl::MutexLock lock(&mu_);
  if (state_.has_ended()) return;
  // Making it may throw, so it comes before anything has changed.
  const absl::Status deleted = state_.DeletedError();
  state_.Delete();
  pending_.Fail(deleted);
  waiters_.NotifyEnded();
  directory_->Detach();  // and closes it
  writer_.Abandon();
  SetActive(false);
  try {
    segments_.CloseAll();
  } catch (const std::bad_alloc&) {
    // They are closed with the log.
  }
}

}  // namespace varve
