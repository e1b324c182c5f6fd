// SPDX-License-Identifier: Apache-2.0

#include "api/retention_clock.h"

#include "absl/time/time.h"

namespace varve {

RetentionClock::RetentionClock(absl::Time last_alive, absl::Time wall,
                               absl::Time steady)
    : now_(wall), steady_(steady) {
  if (last_alive == absl::InfinitePast()) return;
  const absl::Duration closed = wall - last_alive;
  if (closed >= -kSlack && closed <= kClosedMax) return;
  now_ = last_alive;
  Doubt(closed, steady);
}

absl::Time RetentionClock::Now(absl::Time wall, absl::Time steady) {
  now_ += steady - steady_;
  steady_ = steady;
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
