// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/event_count.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "absl/log/check.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace varve {
namespace {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) &&
                  std::atomic<uint32_t>::is_always_lock_free,
              "the kernel reads it as a plain word");

}  // namespace

bool EventCount::Wait(Seen seen, absl::Time deadline) {
  // The kernel refuses a time before the epoch, which is over as well.
  const timespec until =
      absl::ToTimespec(std::max(deadline, absl::UnixEpoch()));
  sleepers_.fetch_add(1);
  const int64_t result =
      syscall(SYS_futex, &count_,
              FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME,
              seen, deadline == absl::InfiniteFuture() ? nullptr : &until,
              nullptr, FUTEX_BITSET_MATCH_ANY);
  const int error = result == 0 ? 0 : errno;
  sleepers_.fetch_sub(1);
  CHECK(error == 0 || error == EAGAIN || error == EINTR || error == ETIMEDOUT)
      << "futex: errno " << error;
  // The kernel compares the count before it looks at the time, so that frequent
  // notifications would hide that the deadline has passed.
  return error == ETIMEDOUT ||
         (deadline != absl::InfiniteFuture() && absl::Now() >= deadline);
}

void EventCount::NotifyAll() { Notify(std::numeric_limits<int>::max()); }

void EventCount::Notify(int sleepers) {
  count_.fetch_add(1);
  if (sleepers_.load() == 0) return;
  const int64_t woken = syscall(SYS_futex, &count_, FUTEX_WAKE_PRIVATE,
                                sleepers, nullptr, nullptr, 0);
  CHECK_GE(woken, 0);
}

}  // namespace varve
