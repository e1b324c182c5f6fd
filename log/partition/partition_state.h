// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_STATE_H_
#define VARVE_LOG_PARTITION_PARTITION_STATE_H_

#include <atomic>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace varve {

// Whether a partition's log takes calls, and the error of those that it does
// not take. Owned by the log.
//
//   open      --Poison-->            poisoned
//   open      --BeginClose-->        closing
//   poisoned  --BeginClose-->        closed, with the poison
//   closing   --EndClose, Poison-->  closed, without or with a failure
//   closed    --Poison-->            closed, with a failure
//   open, poisoned  --Delete-->      deleted
//
// A log that is poisoned can be read, but not changed. One that is closing,
// closed or deleted has ended: it takes no more calls. The first failure is
// kept for good: it is the cause of those after it.
//
// Borrows the log's lock and the partition's path, which must outlive it.
//
// Thread safety: it changes only with the log's lock held, which the functions
// that need it check. With that lock all functions return what holds until it
// is released. Without it readers may call `has_ended` and `EndedError`: a log
// that has ended stays so, and an old value only lets one more call through.
class PartitionState {
 public:
  // It begins open. `path` is the partition's, for messages.
  PartitionState(absl::Mutex* log_mu, std::string_view path)
      : log_mu_(log_mu), path_(path) {}

  PartitionState(const PartitionState&) = delete;
  PartitionState& operator=(const PartitionState&) = delete;

  bool is_open() const { return phase() == Phase::kOpen; }
  bool is_closing() const { return phase() == Phase::kClosing; }
  bool has_ended() const {
    const Phase now = phase();
    return now != Phase::kOpen && now != Phase::kPoisoned;
  }

  // The transitions. Precondition of each: the log's lock is held.

  // After a failure that leaves the contents of the files unknown, also one of
  // a sync that a close has overtaken. Returns whether it is the first failure;
  // a later one, and any after a deletion, changes nothing.
  //
  // Precondition: `status` is not OK.
  bool Poison(const absl::Status& status);

  // Ends the log: it is closing, or closed at once when it was poisoned,
  // because its files stay as they are then.
  //
  // Precondition: not `has_ended()`.
  void BeginClose();

  // Its files are closed, or `status` says why not.
  //
  // Precondition: it is closing, or closed by a `Poison` since it was.
  void EndClose(const absl::Status& status);

  // Its topic was deleted.
  //
  // Precondition: not `has_ended()`.
  void Delete();

  // Why the log is poisoned or did not close cleanly; NotFound when its topic
  // was deleted; else OK.
  //
  // Precondition: the log's lock is held.
  absl::Status failure() const;

  // What calls return, instead of what they are made for.

  // A call that changes the log, or makes it durable: the poison; EndedError
  // when it has ended; else OK.
  //
  // Precondition: the log's lock is held.
  absl::Status StatusOfWrite() const {
    if (is_open()) return absl::OkStatus();
    return has_ended() ? EndedError() : failure();
  }

  // A wait: the poison; Cancelled when it has ended; else OK.
  //
  // Precondition: the log's lock is held.
  absl::Status StatusOfWait() const;

  // Any call on a log that has ended: NotFound when its topic was deleted, else
  // FailedPrecondition. For a call that a close has refused it holds also
  // before `BeginClose`.
  absl::Status EndedError() const;

  // EndedError once the topic is deleted.
  absl::Status DeletedError() const;

 private:
  enum class Phase { kOpen, kPoisoned, kClosing, kClosed, kDeleted };

  Phase phase() const { return phase_.load(std::memory_order_relaxed); }
  void SetPhase(Phase next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(log_mu_) {
    phase_.store(next, std::memory_order_relaxed);
  }

  // Constant after construction.
  absl::Mutex* const log_mu_;
  const std::string_view path_;

  // Memory ordering: relaxed; stored with the log's lock held. What readers may
  // do without it depends on nothing else.
  std::atomic<Phase> phase_ = Phase::kOpen;
  // The poison, or why it did not close cleanly. OK while it is open or
  // closing, not OK while it is poisoned.
  absl::Status failure_ ABSL_GUARDED_BY(log_mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_STATE_H_
