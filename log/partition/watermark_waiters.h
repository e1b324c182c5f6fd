// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_WATERMARK_WAITERS_H_
#define VARVE_LOG_PARTITION_WATERMARK_WAITERS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_trigger.h"
#include "varve/log/partition/watermarks.h"

namespace varve {

// The waiters for the ends of a partition's log to move: threads that are
// blocked, event loops with a descriptor, and readers of many partitions.
//
// A waiter registers, and checks the end again, under the log's lock; the
// writer moves the end and calls `Notify` under it. So no wake-up is lost, and
// an append that no thread waits for pays one test.
//
// Borrows the ends, which must outlive it.
//
// Thread safety: externally synchronized, by the log's lock.
class WatermarkWaiters {
 public:
  explicit WatermarkWaiters(const Watermarks* ends) : ends_(ends) {}

  WatermarkWaiters(const WatermarkWaiters&) = delete;
  WatermarkWaiters& operator=(const WatermarkWaiters&) = delete;

  // Wakes all, if there are any: an end has moved, or will not any more. Of the
  // triggers, those whose offset can be read.
  void Notify() {
    if (!anybody_) return;
    NotifyAll();
  }

  // The same, and fires all triggers: the log has ended.
  void NotifyEnded();

  // Blocks until the next `Notify` or the deadline; may return for no reason.
  // Returns whether the deadline has passed. `mutex` is the log's, held; it is
  // released meanwhile.
  bool Wait(absl::Mutex& mutex, absl::Time deadline);

  // Signals the event at every `Notify` from now on, for as long as it lives.
  void Add(const std::shared_ptr<AppendEvent>& event);

  // Fires the trigger, once, at the `Notify` after which a read of `offset`
  // finds a record, or at `NotifyEnded`.
  void Arm(const std::shared_ptr<AppendTrigger>& trigger, int64_t offset);
  // Takes that back.
  void Disarm(AppendTrigger& trigger);

  int64_t blocked_count() const { return blocked_count_; }

 private:
  void NotifyAll();
  void UpdateAnybody();

  const Watermarks* const ends_;

  bool anybody_ = false;
  int64_t blocked_count_ = 0;
  absl::CondVar moved_;
  std::vector<std::weak_ptr<AppendEvent>> events_;
  std::vector<std::shared_ptr<AppendTrigger>> triggers_;  // those armed
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_WATERMARK_WAITERS_H_
