// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYNC_SCHEDULE_H_
#define VARVE_LOG_SYNC_SCHEDULE_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "log/log_config.h"

namespace varve {

// How long an append may wait for its sync: flush.ms is a bound for every
// append, the store's interval for kInterval ones.
inline absl::Duration SyncInterval(absl::Duration of_store,
                                   const LogConfig& config) {
  if (config.flush_ms == LogConfig::kForever) return of_store;
  return std::min(of_store, absl::Milliseconds(config.flush_ms));
}

// When the kInterval appends of a partition have to be synced: how old the
// oldest of them is that no sync has covered, one that is under way included.
//
// Times are the clock's steady ones.
//
// Thread safety: externally synchronized, by the log's lock.
class SyncSchedule {
 public:
  // How long the timer waits after a sync that did not come about.
  static constexpr absl::Duration kRetryAfter = absl::Seconds(1);

  // An append is synced before it is older than `interval`.
  explicit SyncSchedule(absl::Duration interval) : interval_(interval) {}

  void set_interval(absl::Duration interval) { interval_ = interval; }

  // Whether an append at `now_ms`, of the wall clock, has to be noted: not when
  // an earlier one waits and this millisecond was looked at. The steady clock
  // costs as much as a third of an append. Says so once.
  bool TakeLookDue(int64_t now_ms) {
    return std::exchange(looked_at_ms_, now_ms) != now_ms ||
           unsynced_since_ == absl::InfiniteFuture();
  }

  // Takes note of an append. Returns whether `Due` has become earlier.
  bool NoteAppend(absl::Time now);

  // Whether the window of the oldest append, also of one that is being synced,
  // is over.
  bool IsOverdue(absl::Time now) const;

  // When a sync should begin; InfiniteFuture when there is nothing to sync.
  absl::Time Due() const {
    // Half-way through the window: the sync itself takes time.
    return std::max(unsynced_since_ + interval_ / 2, not_before_);
  }
  // When a sync may begin that is due at once.
  absl::Time not_before() const { return not_before_; }

  // A sync that covers every append so far.
  void BeginSync();
  void EndSync();
  // It did not come about, at `now`: what it was to cover waits for the next
  // one, which the timer does not begin at once.
  void GiveUpSync(absl::Time now);

 private:
  absl::Duration interval_;
  // When the oldest append that is not yet in a sync was made.
  absl::Time unsynced_since_ = absl::InfiniteFuture();
  // The same, of those that are being synced just now.
  absl::Time syncing_since_ = absl::InfiniteFuture();
  absl::Time not_before_ = absl::InfinitePast();
  int64_t looked_at_ms_ = -1;
};

}  // namespace varve

#endif  // VARVE_LOG_SYNC_SCHEDULE_H_
