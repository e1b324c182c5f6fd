// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/fork_mark.h"

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <new>

#include "absl/status/status.h"

namespace varve {

// A lock of it might be held by a thread that the child does not have.
static_assert(std::atomic<uint32_t>::is_always_lock_free);

constinit std::atomic<uint32_t> ForkMark::current_generation_ = 0;

ForkMark::ForkMark() : generation_(Generation()) {
  // It fails only with ENOMEM.
  static const bool watching =
      pthread_atfork(nullptr, nullptr, &ForkMark::EnterChild) == 0;
  if (!watching) throw std::bad_alloc();
}

void ForkMark::EnterChild() {
  current_generation_.fetch_add(1, std::memory_order_relaxed);
}

absl::Status ForkMark::InChildError() {
  return absl::FailedPreconditionError(
      "this process was forked from the one that opened the store, and cannot "
      "use it: open it here when the parent has closed it, or fork before it "
      "is opened");
}

}  // namespace varve
