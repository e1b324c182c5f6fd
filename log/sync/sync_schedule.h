// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYNC_SYNC_SCHEDULE_H_
#define VARVE_LOG_SYNC_SYNC_SCHEDULE_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// How long an append may wait for its sync: flush.ms is a bound for every
// append, the store's interval for kInterval ones.
inline absl::Duration SyncInterval(absl::Duration of_store,
                                   const LogConfig& config) {
  if (config.flush_ms == LogConfig::kForever) return of_store;
  return std::min(of_store, absl::Milliseconds(config.flush_ms));
}

// When the kInterval appends of a partition have to be synced, by the age of
// the oldest one that no completed sync has covered.
//
// Times are the clock's steady ones.
//
// Thread safety: externally synchronized, by the log's lock.
class SyncSchedule {
 public:
  // How long the timer waits after a sync that did not succeed.
  static constexpr absl::Duration kRetryAfter = absl::Seconds(1);

  // An append is synced before it is older than `interval`.
  explicit SyncSchedule(absl::Duration interval) : interval_(interval) {}

  void set_interval(absl::Duration interval) { interval_ = interval; }

  // Whether the caller must read the steady clock and call NoteAppend, at
  // `now_ms` of the wall clock: at most once in a millisecond while an append
  // is waiting, because that clock costs as much as a third of an append.
  // Resets itself.
  bool TakeLookDue(int64_t now_ms) {
    return std::exchange(looked_at_ms_, now_ms) != now_ms ||
           unsynced_since_ == absl::InfiniteFuture();
  }

  // Notes an append. Returns whether `Due` has become earlier.
  bool NoteAppend(absl::Time now);

  // Whether the window of the oldest append, also of one that is being synced,
  // is over.
  bool IsOverdue(absl::Time now) const;

  // When a sync should begin; InfiniteFuture when there is nothing to sync.
  absl::Time Due() const {
    // Half-way through the window: the sync itself takes time.
    return std::max(unsynced_since_ + interval_ / 2, not_before_);
  }
  // The earliest time for a sync that is due at once.
  absl::Time not_before() const { return not_before_; }

  // Begins and ends a sync that covers every append so far.
  void BeginSync();
  void EndSync();
  // Ends a sync that did not succeed, at `now`: its appends wait for the next
  // one, which the timer does not begin at once.
  void GiveUpSync(absl::Time now);

 private:
  absl::Duration interval_;
  // When the oldest append that is not yet in a sync was made.
  absl::Time unsynced_since_ = absl::InfiniteFuture();
  // The same, of those that are currently being synced.
  absl::Time syncing_since_ = absl::InfiniteFuture();
  absl::Time not_before_ = absl::InfinitePast();
  int64_t looked_at_ms_ = -1;
};

}  // namespace varve

#endif  // VARVE_LOG_SYNC_SYNC_SCHEDULE_H_
