// SPDX-License-Identifier: Apache-2.0

#include "varve/log/sync/sync_schedule.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/time/time.h"

namespace varve {

bool SyncSchedule::NoteAppend(absl::Time now) {
  // An earlier time, of a clock that was set back, counts: otherwise the window
  // would be stretched.
  if (now >= unsynced_since_) return false;
  unsynced_since_ = now;
  return true;
}

bool SyncSchedule::IsOverdue(absl::Time now) const {
  return now - std::min(unsynced_since_, syncing_since_) > interval_;
}

void SyncSchedule::BeginSync() {
  CHECK_EQ(syncing_since_, absl::InfiniteFuture());
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
