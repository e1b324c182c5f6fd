// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PENDING_APPENDS_H_
#define VARVE_LOG_PARTITION_PENDING_APPENDS_H_

#include <memory>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_completion.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_log_listener.h"

namespace varve {

// The appends of a partition that are visible, and whose callers are to be
// called back when they are durable. Owned by the log.
//
// What a sync covers is known when it begins: all that wait. So they change
// hands as whole lists, in constant time, and when they are durable they go to
// the listener, which has them called without the log's locks. In the order of
// their offsets: when waiting is over for one, it is for those before it.
//
// Borrows the log's lock, its path, the listener and the meters, which must
// outlive it.
//
// Thread safety: `Make` from any thread; the others with the log's lock held,
// which they check.
class PendingAppends {
 public:
  PendingAppends(absl::Mutex* log_mu, std::string_view path,
                 PartitionLogListener* listener, LogMeters* meters)
      : log_mu_(log_mu), path_(path), listener_(listener), meters_(meters) {}

  PendingAppends(const PendingAppends&) = delete;
  PendingAppends& operator=(const PendingAppends&) = delete;

  // One, for an append that is to be made. Dropped if it is not.
  //
  // Precondition: `callback` is not null.
  // Errors: ResourceExhausted when kPendingAppendsMax are outstanding.
  absl::StatusOr<AppendCompletions> Make(AppendCallback callback) const;

  // Takes the one of an append that was made: the last one of the log. Asks
  // for a sync if nobody has yet.
  void Add(AppendCompletions made, const AppendResult& result);

  // Whether there are any that no sync under way covers.
  bool has_waiting() const {
    log_mu_->AssertReaderHeld();
    return !waiting_.empty();
  }

  // Begins a sync that covers every append so far; ends it when they are
  // durable; or ends it without success, and they wait for the next one.
  void BeginSync();
  void EndSync();
  void GiveUpSync();

  // No sync will cover them: each is called with `status`.
  //
  // Precondition: `status` is not OK.
  void Fail(const absl::Status& status);

 private:
  // Constant after construction.
  absl::Mutex* const log_mu_;
  const std::string_view path_;
  PartitionLogListener* const listener_;
  LogMeters* const meters_;
  const std::shared_ptr<AppendCompletion::Count> outstanding_ =
      std::make_shared<AppendCompletion::Count>(0);

  AppendCompletions waiting_ ABSL_GUARDED_BY(log_mu_);
  // Those that a sync under way covers: they come before the others.
  AppendCompletions syncing_ ABSL_GUARDED_BY(log_mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PENDING_APPENDS_H_
