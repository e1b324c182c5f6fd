// SPDX-License-Identifier: Apache-2.0

// How a partition's log is made durable, and how it gives its files back: the
// syncs, and what opens and closes its writing end between them.

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/call_gate.h"
#include "log/errno_status.h"
#include "log/partition_log.h"
#include "log/partition_meters.h"
#include "log/partition_notices.h"
#include "log/partition_writer.h"
#include "log/stop_watch.h"
#include "log/unsynced_files.h"

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

// With the sync's lock: a segment that is being closed, by `Park` or for a new
// config, is not opened again before it is synced and has its length.
absl::Status PartitionLog::OpenWriter() {
  listener_->MakeRoom();
  absl::MutexLock sync(&sync_mu_);
  if (absl::Status status = SyncClosing(); !status.ok()) return status;
  absl::MutexLock lock(&mu_);
  if (closed_ || !failure_.ok() || writer_.ready()) return absl::OkStatus();
  // Opened and closed again, for a new config, since that sync: the caller
  // comes again.
  if (writer_.is_closing()) return absl::OkStatus();
  absl::Status status = listener_->BeforeFirstChange();
  if (status.ok()) status = directory_->KeepOpen();
  if (status.ok()) status = writer_.Prepare();
  if (!status.ok()) {
    directory_->LetGo();
    return MissingAsLoss(status);
  }
  SetActive(true);
  return absl::OkStatus();
}

absl::Status PartitionLog::Sync() {
  {
    absl::MutexLock lock(&mu_);
    if (closed_) return ClosedError();
    if (!failure_.ok()) return failure_;
  }
  return SyncTo(visible_end());
}

absl::Status PartitionLog::SyncTo(int64_t offset) {
  absl::MutexLock sync(&sync_mu_);
  if (durable_end() >= offset) {
    absl::MutexLock lock(&mu_);
    if (!writer_.has_unsynced_sealed()) return absl::OkStatus();
  }
  return SyncAll();
}

absl::Status PartitionLog::SyncSealedBelow(int64_t offset) {
  absl::MutexLock sync(&sync_mu_);
  {
    absl::MutexLock lock(&mu_);
    if (!writer_.has_unsynced_sealed_below(offset)) return absl::OkStatus();
  }
  return SyncAll();
}

absl::Status PartitionLog::SyncAll() {
  UnsyncedFiles unsynced;
  PartitionMeters::Unsynced appended;
  {
    absl::MutexLock lock(&mu_);
    if (!failure_.ok()) return failure_;
    unsynced = writer_.BeginSync();
    appended = meters_->unsynced();
    sync_schedule_.BeginSync();
  }
  const StopWatch watch = meters_->BeginSync();
  absl::Status status;
  try {
    status = unsynced.Sync(*directory_);
  } catch (...) {
    GiveUpSync(unsynced);
    throw;
  }
  if (!status.ok()) return FailSync(unsynced, status);
  {
    absl::MutexLock lock(&mu_);
    writer_.EndSync(unsynced, PartitionWriter::SyncEnd::kSynced);
    sync_schedule_.EndSync();
    meters_->TakeOff(appended);
    ends_.SetDurable(unsynced.end_offset);
    waiters_.Notify();
  }
  listener_->CheckpointChanged();
  NoteSync(*meters_, environment_, directory_->path(), appended, watch);
  return absl::OkStatus();
}

// The only place where a sync that did not succeed decides about the poison.
absl::Status PartitionLog::FailSync(const UnsyncedFiles& unsynced,
                                    const absl::Status& status) {
  GiveUpSync(unsynced);
  if (LeavesAllAsItWas(status)) return status;
  bool is_first = false;
  absl::Status poison;
  {
    absl::MutexLock lock(&mu_);
    is_first = Poison(status);
    poison = failure_;
  }
  if (is_first) {
    meters_->store().sync_errors.Add(poison);
    NotePoisoned(*meters_, environment_, directory_->path(), poison);
  }
  return poison;
}

void PartitionLog::GiveUpSync(const UnsyncedFiles& unsynced) {
  absl::MutexLock lock(&mu_);
  writer_.EndSync(unsynced, PartitionWriter::SyncEnd::kNotSynced);
  sync_schedule_.GiveUpSync(environment_.clock->Steady());
}

absl::Status PartitionLog::SyncClosing() {
  {
    absl::MutexLock lock(&mu_);
    if (!failure_.ok() || !writer_.is_closing()) return absl::OkStatus();
  }
  return SyncAll();
}

absl::Time PartitionLog::SyncDue() {
  absl::MutexLock lock(&mu_);
  if (!failure_.ok() || closed_) return absl::InfiniteFuture();
  if (writer_.has_unsynced_sealed()) return sync_schedule_.not_before();
  return sync_schedule_.Due();
}

absl::Status PartitionLog::Park() {
  const CallGate::Call call = calls_.Enter();
  if (!call.entered()) return ClosedError();
  absl::MutexLock sync(&sync_mu_);
  {
    absl::MutexLock lock(&mu_);
    if (writer_.ready()) {
      if (closed_ || !failure_.ok()) return failure_;
      absl::Status status = writer_.Close();
      if (!status.ok()) return NoteFailure(status);
      SetActive(false);
    }
  }
  if (absl::Status status = SyncClosing(); !status.ok()) return status;
  absl::MutexLock lock(&mu_);
  // What a failed sync has left without a name can be read only while it is
  // open.
  if (!writer_.ready() && !writer_.has_unnamed()) {
    segments_.CloseAll();
    directory_->LetGo();
  }
  return absl::OkStatus();
}

// The syncs that are under way, a parking's too, come first: what they find
// decides. After a call that threw, the next one does the rest.
absl::Status PartitionLog::Close() {
  calls_.CloseAndWait();
  {
    absl::MutexLock lock(&mu_);
    if (!closed_) ending_.SetClosed();
    closed_ = true;
    waiters_.Notify();
  }
  absl::MutexLock sync(&sync_mu_);
  {
    absl::MutexLock lock(&mu_);
    if (close_has_ended_ || !failure_.ok()) return failure_;
    absl::Status status = CloseWriter();
    close_has_ended_ = !status.ok();
    if (!status.ok()) return failure_ = status;
  }
  const absl::Status status = SyncClosing();
  absl::MutexLock lock(&mu_);
  close_has_ended_ = true;
  if (failure_.ok()) failure_ = status;
  directory_->LetGo();
  return failure_;
}

absl::Status PartitionLog::CloseWriter() {
  if (!writer_.needs_close()) return absl::OkStatus();
  absl::Status status =
      writer_.ready() ? absl::OkStatus() : listener_->BeforeFirstChange();
  if (status.ok()) status = writer_.Close();
  SetActive(false);
  return status;
}

}  // namespace varve
