// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_FORK_MARK_H_
#define VARVE_LOG_SYSTEM_FORK_MARK_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"

namespace varve {

// Distinguishes a process from the one that forked it. fork(2) copies the
// memory of a process and one of its threads: locks that other threads held
// stay locked for ever in the child, and threads that its objects rely on do
// not exist there. So objects of the parent are marked, and left alone in a
// child.
//
// The first mark registers with pthread_atfork(3); vfork and posix_spawn, after
// which nothing but exec is done, need no mark.
//
// Thread safety: thread-safe.
class ForkMark {
 public:
  // Marks the calling process. May throw std::bad_alloc.
  ForkMark();

  // Whether this process was forked from the one that made the mark.
  bool in_child() const { return generation_ != Generation(); }

  // Errors: FailedPrecondition in a child.
  absl::Status Check() const {
    return in_child() ? InChildError() : absl::OkStatus();
  }

 private:
  static uint32_t Generation() {
    return current_generation_.load(std::memory_order_relaxed);
  }
  static absl::Status InChildError();
  static void EnterChild();

  // Memory ordering: relaxed; it changes while a child has one thread only.
  static std::atomic<uint32_t> current_generation_;

  uint32_t generation_;
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_FORK_MARK_H_
