// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_WATERMARK_WAITERS_H_
#define VARVE_LOG_PARTITION_WATERMARK_WAITERS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_trigger.h"
#include "varve/log/partition/watermarks.h"
#include "varve/log/system/event_count.h"

namespace varve {

// The waiters for the ends of a partition's log to move: threads that are
// blocked, event loops with a descriptor, and readers of many partitions.
//
// A waiter registers, and checks the end again, under the log's lock; the
// writer moves the end and notifies under it. So no wake-up is lost, and an
// append that nobody waits for pays one test. A thread that is woken takes no
// lock before it looks at the ends.
//
// Borrows the ends, which must outlive it.
//
// Thread safety: externally synchronized, by the log's lock, but for `Sleep`.
class WatermarkWaiters {
 public:
  explicit WatermarkWaiters(const Watermarks* ends) : ends_(ends) {}

  WatermarkWaiters(const WatermarkWaiters&) = delete;
  WatermarkWaiters& operator=(const WatermarkWaiters&) = delete;

  // Wakes those whom it concerns that the visible end has moved, or the durable
  // one. Of the triggers, those whose offset can be read.
  void NotifyVisible() {
    if (anybody_) Notify(Moved::kVisible);
  }
  void NotifyDurable() {
    if (anybody_) Notify(Moved::kDurable);
  }

  // Wakes all threads and events, and fires the triggers whose offset can be
  // read: the ends will not move any more, or reads of the default level end
  // elsewhere from now on, or those of committed records do, because the log
  // start has moved.
  void NotifyAll();

  // The same, and fires all triggers: the log has ended.
  void NotifyEnded();

  // Registers the calling thread, which waits for the end of this level to
  // move.
  struct Place {
    EventCount* moved = nullptr;
    EventCount::Seen seen = 0;
  };
  Place Register(ReadLevel level);

  // Blocks, without the log's lock, until a notification that concerns the
  // place, or the deadline; may return for no reason. Returns whether the
  // deadline has passed. The thread is not registered any more then.
  static bool Sleep(const Place& place, absl::Time deadline) {
    return place.moved->Wait(place.seen, deadline);
  }

  // Signals the event at every notification from now on, for as long as it
  // lives.
  void Add(const std::shared_ptr<AppendEvent>& event);

  // Fires the trigger, once, at the notification after which a read of `offset`
  // ends behind it, or at `NotifyEnded`.
  void Arm(const std::shared_ptr<AppendTrigger>& trigger, int64_t offset);
  // Takes that back.
  void Disarm(AppendTrigger& trigger);

 private:
  enum class Moved { kVisible, kDurable, kNone };

  // The threads that wait for one of the ends.
  struct Sleepers {
    void Wake();

    EventCount moved;
    bool any = false;
  };

  void Notify(Moved what);
  void UpdateAnybody();

  const Watermarks* const ends_;

  bool anybody_ = false;
  Sleepers for_visible_;
  Sleepers for_durable_;
  std::vector<std::weak_ptr<AppendEvent>> events_;
  std::vector<std::shared_ptr<AppendTrigger>> triggers_;  // those armed
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_WATERMARK_WAITERS_H_
