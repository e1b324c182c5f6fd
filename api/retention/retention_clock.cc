// SPDX-License-Identifier: Apache-2.0

#include "varve/api/retention/retention_clock.h"

#include <algorithm>

#include "absl/time/time.h"

namespace varve {

RetentionClock::RetentionClock(absl::Time last_alive, absl::Time wall,
                               absl::Time steady)
    : now_(wall), wall_(wall), steady_(steady) {
  if (last_alive == absl::InfinitePast()) return;
  const absl::Duration closed = wall - last_alive;
  if (MayBeClosedFor(closed)) return;
  now_ = last_alive;
  Doubt(closed, steady);
}

RetentionClock::RetentionClock(const State& last, absl::Time wall,
                               absl::Time steady)
    : RetentionClock(last.believed, wall, steady) {
  const absl::Duration jump = last.wall - last.believed;
  const absl::Duration closed = wall - last.wall;
  // There was no doubt, or the clock was set while the store was closed.
  if (absl::AbsDuration(jump) <= kSlack || !MayBeClosedFor(closed)) return;
  const absl::Duration passed = std::max(closed, absl::ZeroDuration());
  now_ = last.believed + passed;
  Doubt(wall - now_, steady);
  doubted_since_ -= last.doubted_for + passed;
}

// Whether a store may have been closed for so long.
bool RetentionClock::MayBeClosedFor(absl::Duration closed) {
  return closed >= -kSlack && closed <= kClosedMax;
}

RetentionClock::State RetentionClock::state() const {
  return {.wall = wall_,
          .believed = now_,
          .doubted_for =
              doubts() ? steady_ - doubted_since_ : absl::ZeroDuration()};
}

absl::Time RetentionClock::Now(absl::Time wall, absl::Time steady) {
  now_ += steady - steady_;
  steady_ = steady;
  wall_ = wall;
  const absl::Duration jump = wall - now_;
  const bool held = doubts() && absl::AbsDuration(jump - jump_) <= kSlack &&
                    steady - doubted_since_ >= kDoubt;
  if (held || absl::AbsDuration(jump) <= kSlack) {
    now_ = wall;
    doubted_since_ = absl::InfiniteFuture();
  } else if (!doubts() || absl::AbsDuration(jump - jump_) > kSlack) {
    Doubt(jump, steady);
  }
  return now_;
}

void RetentionClock::Doubt(absl::Duration jump, absl::Time steady) {
  doubted_since_ = steady;
  jump_ = jump;
}

}  // namespace varve
