// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/duty_bell.h"

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace varve {

void DutyBell::Ring() {
  absl::MutexLock lock(&mu_);
  rung_ = true;
}

void DutyBell::Wait(absl::Duration timeout) {
  absl::MutexLock lock(&mu_);
  mu_.AwaitWithTimeout(absl::Condition(&rung_), timeout);
  rung_ = false;
}

}  // namespace varve
