// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_SIDE_BY_SIDE_H_
#define VARVE_API_DUTY_SIDE_BY_SIDE_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"

namespace varve {

// Makes calls that wait for a disk side by side: on the caller's thread, and on
// helpers that are started for it and have ended when it returns. A disk serves
// several at a time, and a file system writes its journal once for all that
// wait. Measured, 32 files of 64 KiB on ext4: synced one after the other they
// take four times as long as by 8 threads; by 16 they take no less.
//
// Thread safety: thread-safe.
class SideBySide {
 public:
  // The threads of one call, with its own, and the helpers of all calls.
  static constexpr int64_t kThreadsMax = 8;

  // At most `helpers_max` helpers run at a time; with 0 every call is made on
  // its caller's thread.
  explicit SideBySide(int64_t helpers_max) : helpers_left_(helpers_max) {}

  SideBySide(const SideBySide&) = delete;
  SideBySide& operator=(const SideBySide&) = delete;

  // Makes `call(0)` to `call(count - 1)`, each once, in any order, and returns
  // when all have returned. `busy` is how many of them have something to do:
  // there are no more threads than that. Where no helper can be had, there are
  // fewer. When calls throw, the others are made, and it throws what the first
  // of them did.
  void Run(int64_t count, int64_t busy, absl::FunctionRef<void(int64_t)> call)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  int64_t TakeHelpers(int64_t wanted) ABSL_LOCKS_EXCLUDED(mu_);
  void GiveBack(int64_t helpers) ABSL_LOCKS_EXCLUDED(mu_);

  absl::Mutex mu_;
  int64_t helpers_left_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_DUTY_SIDE_BY_SIDE_H_
