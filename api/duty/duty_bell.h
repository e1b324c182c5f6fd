// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_DUTY_BELL_H_
#define VARVE_API_DUTY_DUTY_BELL_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace varve {

// Wakes the thread of one duty before its time. A ring is kept until a thread
// waits, so none is lost; many count as one.
//
// Thread safety: thread-safe. `Ring` takes no other lock, so it may be called
// with any held.
class DutyBell {
 public:
  void Ring();

  // Blocks until the bell has been rung since the last `Wait`, or `timeout` has
  // passed.
  void Wait(absl::Duration timeout);

 private:
  absl::Mutex mu_;
  bool rung_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace varve

#endif  // VARVE_API_DUTY_DUTY_BELL_H_
