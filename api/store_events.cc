// SPDX-License-Identifier: Apache-2.0

#include "api/store_events.h"

#include <atomic>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/store_files.h"

namespace varve {

absl::Status StoreEvents::BeforeFirstChange() {
  absl::MutexLock lock(&mu_);
  if (marker_ == Marker::kAbsent) return absl::OkStatus();
  absl::Status status = RemoveCleanShutdownMarker(*directory_);
  if (status.ok()) marker_ = Marker::kAbsent;
  return status;
}

void StoreEvents::SyncWanted() { sync_bell_.Ring(); }

void StoreEvents::CheckpointChanged() {
  if (checkpoint_changed_.exchange(true, std::memory_order_acq_rel)) return;
  sync_bell_.Ring();
}

bool StoreEvents::marker_present() const {
  absl::MutexLock lock(&mu_);
  return marker_ == Marker::kPresent;
}

}  // namespace varve
