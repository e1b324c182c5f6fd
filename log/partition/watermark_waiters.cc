// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/watermark_waiters.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_trigger.h"

namespace varve {

bool WatermarkWaiters::Wait(absl::Mutex& mutex, absl::Time deadline) {
  ++blocked_count_;
  anybody_ = true;
  const bool expired = moved_.WaitWithDeadline(&mutex, deadline);
  --blocked_count_;
  UpdateAnybody();
  return expired;
}

void WatermarkWaiters::Add(const std::shared_ptr<AppendEvent>& event) {
  events_.push_back(event);
  anybody_ = true;
}

void WatermarkWaiters::Arm(const std::shared_ptr<AppendTrigger>& trigger,
                           int64_t offset) {
  // What may throw comes first.
  if (!trigger->is_armed()) triggers_.push_back(trigger);
  trigger->Arm(offset);
  anybody_ = true;
}

void WatermarkWaiters::Disarm(AppendTrigger& trigger) {
  trigger.Disarm();
  std::erase_if(triggers_, [&](const std::shared_ptr<AppendTrigger>& armed) {
    return armed.get() == &trigger;
  });
  UpdateAnybody();
}

void WatermarkWaiters::NotifyEnded() {
  Notify();
  for (const std::shared_ptr<AppendTrigger>& trigger : triggers_) {
    trigger->Fire();
  }
  triggers_.clear();
  UpdateAnybody();
}

void WatermarkWaiters::NotifyAll() {
  DCHECK(blocked_count_ > 0 || !events_.empty() || !triggers_.empty());
  if (blocked_count_ > 0) moved_.SignalAll();
  std::erase_if(events_, [](const std::weak_ptr<AppendEvent>& weak) {
    const std::shared_ptr<AppendEvent> event = weak.lock();
    if (event != nullptr) event->Signal();
    return event == nullptr;
  });
  std::erase_if(triggers_, [&](const std::shared_ptr<AppendTrigger>& trigger) {
    if (!trigger->IsDue(*ends_)) return false;
    trigger->Fire();
    return true;
  });
  UpdateAnybody();
}

void WatermarkWaiters::UpdateAnybody() {
  anybody_ = blocked_count_ > 0 || !events_.empty() || !triggers_.empty();
}

}  // namespace varve
