// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYNC_SYNC_TURN_H_
#define VARVE_LOG_SYNC_SYNC_TURN_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "varve/log/system/event_count.h"

namespace varve {

// The turn to work on a partition's files, which one thread has at a time: the
// leader of a group commit, or who opens or closes the writing end.
//
// Unlike a mutex it lets a thread wait for the end of another's turn without
// wanting one itself. So the threads whose records a sync has covered go on at
// once and side by side, whoever takes the next turn meanwhile. Of those that a
// turn did not cover, its end wakes one, to take the next; the others sleep
// until that one ends. A thread that is alone pays for no wake-up.
//
// Thread safety: thread-safe. A turn ends on the thread that took it.
class ABSL_LOCKABLE SyncTurn {
 public:
  SyncTurn() = default;
  SyncTurn(const SyncTurn&) = delete;
  SyncTurn& operator=(const SyncTurn&) = delete;

  // Takes the turn, if nobody has it.
  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);

  // Takes the turn as soon as it is free.
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION();

  // Ends the turn.
  void Unlock() ABSL_UNLOCK_FUNCTION();

  // Takes the turn as soon as it is free, unless `done()` holds before; returns
  // whether it did. `done` holds for good when what the caller wants is done,
  // by others. `covered()` says whether the turn under way will do it, if it
  // succeeds: then its end, not the turn, is waited for.
  //
  // Both are called often, by this thread, without the turn.
  template <typename Done, typename Covered>
  bool LockUnless(Done done, Covered covered)
      ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    EventCount* left = nullptr;
    Patience patience(&impatient_);
    while (!done()) {
      const bool may_take = patience.is_over() || impatient_.load() == 0;
      if (may_take && TryLock()) return true;
      const Number state = state_.load(std::memory_order_acquire);
      if ((state & kTaken) == 0) {
        if (!may_take) std::this_thread::sleep_for(kPolitePause);
        continue;
      }
      left = covered() ? SleepUntilEnd(state) : SleepUntilFree(state);
      patience.NoteSleep();
    }
    if (left != nullptr) left->NotifyOne();
    return false;
  }

 private:
  // A thread whose turn it did not become after so many sleeps: those that are
  // awake, and would be faster, leave it the next one. Without that a thread
  // that asks for turn after turn could keep it waiting for long.
  class Patience {
   public:
    explicit Patience(std::atomic<int>* impatient) : impatient_(impatient) {}
    ~Patience() {
      if (is_over()) impatient_->fetch_sub(1);
    }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

    bool is_over() const { return sleeps_ >= kSleeps; }
    void NoteSleep() {
      if (!is_over() && ++sleeps_ == kSleeps) impatient_->fetch_add(1);
    }

   private:
    static constexpr int kSleeps = 8;

    std::atomic<int>* const impatient_;
    int sleeps_ = 0;
  };

  // Bit 0: whether somebody has the turn. The rest counts turns, and wraps.
  using Number = uint32_t;
  static constexpr Number kTaken = 1;
  static constexpr Number kTurn = 2;

  // How long a thread stays away from a free turn that it leaves to one that
  // was woken. A yield would not do: under SCHED_FIFO it never lets a thread of
  // a lower priority run.
  static constexpr std::chrono::microseconds kPolitePause{20};

  // Who sleeps here wakes at the end of `turn`.
  EventCount& end_of(Number turn) { return ends_[turn / kTurn % 2]; }

  // Sleep while `turn` lasts, or until this thread is the one whom its end
  // wakes to take the next, or that one ends, too. The second returns where it
  // slept: who does not take the turn then has to wake another there.
  EventCount* SleepUntilEnd(Number turn);
  EventCount* SleepUntilFree(Number turn);
  void Sleep(EventCount& end, Number turn);

  // Memory ordering: taken with acquire, given back with release: what was done
  // in a turn is seen in the next, and by those who saw its end.
  std::atomic<Number> state_ = 0;
  // How many have no patience left. Memory ordering: seq_cst, as is the end of
  // a turn: who becomes one of them and then sleeps is woken at that end.
  std::atomic<int> impatient_ = 0;
  // Two are enough: a thread waits for the turn under way or for the next.
  std::array<EventCount, 2> ends_;
};

// Has the turn for as long as it lives: takes it, or one that this thread has
// taken.
class ABSL_SCOPED_LOCKABLE SyncTurnLock {
 public:
  explicit SyncTurnLock(SyncTurn* turn) ABSL_EXCLUSIVE_LOCK_FUNCTION(turn)
      : turn_(turn) {
    turn_->Lock();
  }
  SyncTurnLock(std::adopt_lock_t, SyncTurn* turn)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn)
      : turn_(turn) {}
  ~SyncTurnLock() ABSL_UNLOCK_FUNCTION() { turn_->Unlock(); }

  SyncTurnLock(const SyncTurnLock&) = delete;
  SyncTurnLock& operator=(const SyncTurnLock&) = delete;

 private:
  SyncTurn* const turn_;
};

}  // namespace varve

#endif  // VARVE_LOG_SYNC_SYNC_TURN_H_
