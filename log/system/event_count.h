// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_EVENT_COUNT_H_
#define VARVE_LOG_SYSTEM_EVENT_COUNT_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace varve {

// A place where threads sleep until something has changed that they look at
// without a lock (an eventcount: Reed and Kanodia, 1979). A thread looks at the
// count, then at what it waits for, and sleeps if the count is still the same:
// so it misses no change that is followed by a `Notify`.
//
//     while (true) {
//       const EventCount::Seen seen = changed.Look();
//       if (IsThere()) break;
//       changed.Wait(seen, deadline);
//     }
//
// One futex(2) word; a notification that nobody waits for makes no system call.
// A thread that is woken takes no lock, unlike that of a condition variable.
//
// Thread safety: thread-safe.
class EventCount {
 public:
  using Seen = uint32_t;

  EventCount() = default;
  EventCount(const EventCount&) = delete;
  EventCount& operator=(const EventCount&) = delete;

  Seen Look() const { return count_.load(std::memory_order_acquire); }

  // Blocks until a notification after `seen`, or the deadline, a time of the
  // wall clock. May return for no reason. Returns whether the deadline has
  // passed.
  bool Wait(Seen seen, absl::Time deadline = absl::InfiniteFuture());

  // Wakes one of those that sleep, or all; those that have looked before and do
  // not sleep yet will not.
  void NotifyOne() { Notify(1); }
  void NotifyAll();

 private:
  void Notify(int sleepers);

  // Memory ordering: one order with `sleepers_` (sequentially consistent): a
  // notifier that counts up and sees no sleeper is seen by one that comes.
  // What was stored before a notification is seen by who looks after it.
  std::atomic<uint32_t> count_ = 0;
  std::atomic<int> sleepers_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_EVENT_COUNT_H_
