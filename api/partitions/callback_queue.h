// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_CALLBACK_QUEUE_H_
#define VARVE_API_PARTITIONS_CALLBACK_QUEUE_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/partition/append_completion.h"

namespace varve {

// The callbacks of a store's appends that are due. Logs put them in with their
// locks held; they are called without any, so that a callback may call the
// store again. What threads of the program do, such as a kSynced append that
// makes others durable, calls none: a program's lock that is held during its
// append may be taken in its callbacks.
//
// Each partition bounds its own (kPendingAppendsMax).
//
// Thread safety: thread-safe. `Add` takes no other lock while it holds its own.
class CallbackQueue {
 public:
  CallbackQueue() = default;
  CallbackQueue(const CallbackQueue&) = delete;
  CallbackQueue& operator=(const CallbackQueue&) = delete;

  // Puts them behind those that are there. Allocates nothing.
  void Add(AppendCompletions completed) ABSL_LOCKS_EXCLUDED(mu_);

  // Calls those that are there, one by one and in order; what comes meanwhile
  // is left to the next call, so that it ends even if every callback makes
  // another one due. Returns how many it has called. When one throws, the rest
  // stay.
  //
  // Precondition: one thread at a time calls it, with no lock held.
  int64_t CallDue() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  AppendCompletions TakeNext() ABSL_LOCKS_EXCLUDED(mu_);
  int64_t size() const ABSL_LOCKS_EXCLUDED(mu_);

  mutable absl::Mutex mu_;
  AppendCompletions due_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_CALLBACK_QUEUE_H_
