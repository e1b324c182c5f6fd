// SPDX-License-Identifier: Apache-2.0

#include "log/sync_schedule.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"

namespace varve {

bool SyncSchedule::NoteAppend(absl::Time now) {
  // Also when a clock was set back: the window would be stretched.
  if (now >= unsynced_since_) return false;
  unsynced_since_ = now;
  return true;
}

bool SyncSchedule::IsOverdue(absl::Time now) const {
  return now - std::min(unsynced_since_, syncing_since_) > interval_;
}

void SyncSchedule::BeginSync() {
  syncing_since_ = std::exchange(unsynced_since_, absl::InfiniteFuture());
}

void SyncSchedule::EndSync() {
  syncing_since_ = absl::InfiniteFuture();
  not_before_ = absl::InfinitePast();
}

void SyncSchedule::GiveUpSync(absl::Time now) {
  unsynced_since_ = std::min(
      unsynced_since_, std::exchange(syncing_since_, absl::InfiniteFuture()));
  not_before_ = now + kRetryAfter;
}

}  // namespace varve
