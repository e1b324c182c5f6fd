// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/sync_turn.h"

#include <atomic>
#include <cstdint>

#include "absl/log/check.h"

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
  bed(turn).fetch_add(1);
  bed(turn).notify_all();
  WakeOne(bed(turn + kTurn));
}

SyncTurn::Bed* SyncTurn::SleepUntilEnd(Number turn) {
  Sleep(bed(turn), turn);
  return nullptr;
}

SyncTurn::Bed* SyncTurn::SleepUntilFree(Number turn) {
  Sleep(bed(turn + kTurn), turn);
  return &bed(turn + kTurn);
}

// No wake-up is lost: if the turn ended before the bed was looked at, the state
// says so, and if it ends later, the bed has changed.
void SyncTurn::Sleep(Bed& where, Number turn) {
  const uint32_t seen = where.load();
  if (state_.load() == turn) where.wait(seen);
}

void SyncTurn::WakeOne(Bed& where) {
  where.fetch_add(1);
  where.notify_one();
}

}  // namespace varve
