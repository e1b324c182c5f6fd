// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/watermark_waiters.h"

#include <memory>
#include <vector>

#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_trigger.h"

namespace varve {

// Reads of kDefault end at the durable end until the first weaker append, which
// calls `NotifyAll`.
WatermarkWaiters::Place WatermarkWaiters::Register(ReadLevel level) {
  const bool visible =
      level == ReadLevel::kVisible ||
      (level == ReadLevel::kDefault && ends_->has_weak_appends());
  Sleepers& sleepers = visible ? for_visible_ : for_durable_;
  sleepers.any = true;
  anybody_ = true;
  return {.moved = &sleepers.moved, .seen = sleepers.moved.Look()};
}

// All of them are awake then, and register again if they have to.
void WatermarkWaiters::Sleepers::Wake() {
  if (!any) return;
  any = false;
  moved.NotifyAll();
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

void WatermarkWaiters::NotifyAll() {
  for_visible_.Wake();
  for_durable_.Wake();
  Notify(Moved::kNone);
}

void WatermarkWaiters::NotifyEnded() {
  NotifyAll();
  for (const std::shared_ptr<AppendTrigger>& trigger : triggers_) {
    trigger->Fire();
  }
  triggers_.clear();
  UpdateAnybody();
}

void WatermarkWaiters::Notify(Moved what) {
  if (what == Moved::kVisible) for_visible_.Wake();
  if (what == Moved::kDurable) for_durable_.Wake();
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
  anybody_ = for_visible_.any || for_durable_.any || !events_.empty() ||
             !triggers_.empty();
}

}  // namespace varve
