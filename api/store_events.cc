// SPDX-License-Identifier: Apache-2.0

#include "api/store_events.h"

#include <atomic>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/store_files.h"

namespace varve {

absl::Status StoreEvents::BeforeFirstChange() {
  absl::MutexLock lock(&mu_);
  if (marker_ == Marker::kAbsent) return absl::OkStatus();
  absl::Status status = RemoveCleanShutdownMarker(*directory_);
  if (status.ok()) marker_ = Marker::kAbsent;
  return status;
}

void StoreEvents::SyncWanted() {
  absl::MutexLock lock(&mu_);
  news_ = true;
}

void StoreEvents::CheckpointChanged() {
  if (checkpoint_changed_.exchange(true, std::memory_order_acq_rel)) return;
  absl::MutexLock lock(&mu_);
  news_ = true;
}

void StoreEvents::Wait(absl::Duration timeout) {
  absl::MutexLock lock(&mu_);
  auto woken = [this] {
    mu_.AssertReaderHeld();
    return news_ || stopped_;
  };
  mu_.AwaitWithTimeout(absl::Condition(&woken), timeout);
  news_ = false;
}

void StoreEvents::Stop() {
  absl::MutexLock lock(&mu_);
  stopped_ = true;
}

bool StoreEvents::stopped() const {
  absl::MutexLock lock(&mu_);
  return stopped_;
}

bool StoreEvents::marker_present() const {
  absl::MutexLock lock(&mu_);
  return marker_ == Marker::kPresent;
}

}  // namespace varve
