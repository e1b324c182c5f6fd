// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_RETENTION_RETENTION_CLOCK_H_
#define VARVE_API_RETENTION_RETENTION_CLOCK_H_

#include "absl/time/time.h"

namespace varve {

// The time of day as retention believes it. A wall clock that is set ten years
// ahead makes every record ten years old; acting on that at once would leave no
// log by the time the clock is set right again.
//
// So this clock continues from the last time it believed, at the pace of the
// steady clock, and follows the wall clock only while the two agree. A jump is
// doubted: it is believed when it has held for kDoubt. If the machine only
// slept, or its first clock was wrong, old segments are deleted that much
// later, which does no harm.
//
// Thread safety: externally synchronized.
class RetentionClock {
 public:
  // Differences up to here are no jump.
  static constexpr absl::Duration kSlack = absl::Hours(1);
  // A store may be closed for so long without its next clock being doubted.
  static constexpr absl::Duration kClosedMax = absl::Hours(24 * 30);
  // How long a jump has to hold.
  static constexpr absl::Duration kDoubt = absl::Hours(24);

  // Its state, kept for the store's next process: a doubt that each process
  // began again would never end, and one that no process remembered would end
  // with the first process.
  struct State {
    absl::Time wall;      // the wall clock when it was last asked
    absl::Time believed;  // what it answered
    // For how long the two have differed as they do; counts only if they do.
    absl::Duration doubted_for;
  };

  // `last_alive` is the latest time that the store itself wrote down before;
  // InfinitePast when there is none, and then the wall clock is believed.
  RetentionClock(absl::Time last_alive, absl::Time wall, absl::Time steady);

  // Continues from `last`. While the store was closed, a doubted clock may have
  // stayed as it was; that counts as holding.
  RetentionClock(const State& last, absl::Time wall, absl::Time steady);

  // The time to judge ages by. Call it with both clocks, read at once.
  absl::Time Now(absl::Time wall, absl::Time steady);

  // The state as of the last `Now`.
  State state() const;

  // Whether the wall clock was doubted by the last `Now`.
  bool doubts() const { return doubted_since_ != absl::InfiniteFuture(); }

 private:
  static bool MayBeClosedFor(absl::Duration closed);
  void Doubt(absl::Duration jump, absl::Time steady);

  absl::Time now_;
  absl::Time wall_;
  absl::Time steady_;
  // By the steady clock; InfiniteFuture while nothing is doubted.
  absl::Time doubted_since_ = absl::InfiniteFuture();
  absl::Duration jump_;  // the wall clock less `now_`, while it is doubted
};

}  // namespace varve

#endif  // VARVE_API_RETENTION_RETENTION_CLOCK_H_
