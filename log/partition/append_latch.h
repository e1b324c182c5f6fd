// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_APPEND_LATCH_H_
#define VARVE_LOG_PARTITION_APPEND_LATCH_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/system/fork_mark.h"

namespace varve {

// What wakes one reader of many partitions: it is set by the first of them that
// has something new (log/partition/append_trigger.h), and stays set until the
// reader clears it.
//
// Thread safety: thread-safe. `Set` takes no other lock, so it may be called
// with any held. In a forked child, where its lock may be held for ever, it is
// not set, and has no descriptor.
class AppendLatch {
 public:
  void Set() ABSL_LOCKS_EXCLUDED(mu_);
  void Clear() ABSL_LOCKS_EXCLUDED(mu_);

  // Blocks until it is set or the deadline has passed.
  void Wait(absl::Time deadline) const ABSL_LOCKS_EXCLUDED(mu_);

  // For event loops: readable while it is set. The latch owns it, and makes it
  // at the first call. In a forked child it is -1.
  //
  // Errors: ResourceExhausted when there can be no more descriptors.
  absl::StatusOr<int> Descriptor() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const ForkMark fork_mark_;

  mutable absl::Mutex mu_;
  bool is_set_ ABSL_GUARDED_BY(mu_) = false;
  // Null until a descriptor is asked for.
  std::shared_ptr<AppendEvent> event_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_APPEND_LATCH_H_
