// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/append_latch.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/partition/append_event.h"

namespace varve {

void AppendLatch::Set() {
  if (fork_mark_.in_child()) return;
  absl::MutexLock lock(&mu_);
  if (is_set_) return;
  is_set_ = true;
  if (event_ != nullptr) event_->Signal();
}

void AppendLatch::Clear() {
  absl::MutexLock lock(&mu_);
  if (!is_set_) return;
  is_set_ = false;
  if (event_ != nullptr) event_->Clear();
}

void AppendLatch::Wait(absl::Time deadline) const {
  absl::MutexLock lock(&mu_);
  mu_.AwaitWithDeadline(absl::Condition(&is_set_), deadline);
}

absl::StatusOr<int> AppendLatch::Descriptor() {
  if (fork_mark_.in_child()) return -1;
  absl::MutexLock lock(&mu_);
  if (event_ == nullptr) {
    absl::StatusOr<std::shared_ptr<AppendEvent>> event = AppendEvent::Create();
    if (!event.ok()) return event.status();
    event_ = *std::move(event);
    if (is_set_) event_->Signal();
  }
  return event_->descriptor();
}

}  // namespace varve
