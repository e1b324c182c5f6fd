// SPDX-License-Identifier: Apache-2.0

#include "varve/log/sync/sync_turn.h"

#include <atomic>
#include <cstdint>

#include "absl/log/check.h"
#include "varve/log/system/event_count.h"

namespace varve {

bool SyncTurn::TryLock() {
  Number state = state_.load(std::memory_order_relaxed);
  return (state & kTaken) == 0 &&
         state_.compare_exchange_strong(state, state + kTurn + kTaken,
                                        std::memory_order_acquire,
                                        std::memory_order_relaxed);
}

void SyncTurn::Lock() {
  const bool taken = LockUnless([] { return false; }, [] { return false; });
  CHECK(taken);
}

// Who comes between the release and the wake-ups, and takes the next turn,
// wakes at its end those who wait for it.
void SyncTurn::Unlock() {
  const Number turn = state_.load(std::memory_order_relaxed);
  CHECK_NE(turn & kTaken, 0U);
  state_.store(turn - kTaken);
  end_of(turn).NotifyAll();
  // One that is woken, and has to leave the turn to another, cannot wake it.
  EventCount& next = end_of(turn + kTurn);
  if (impatient_.load() > 0) {
    next.NotifyAll();
  } else {
    next.NotifyOne();
  }
}

EventCount* SyncTurn::SleepUntilEnd(Number turn) {
  Sleep(end_of(turn), turn);
  return nullptr;
}

EventCount* SyncTurn::SleepUntilFree(Number turn) {
  Sleep(end_of(turn + kTurn), turn);
  return &end_of(turn + kTurn);
}

// If the turn ended before this looked at the count, the state says so.
void SyncTurn::Sleep(EventCount& end, Number turn) {
  const EventCount::Seen seen = end.Look();
  if (state_.load() == turn) end.Wait(seen);
}

}  // namespace varve
