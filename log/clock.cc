// SPDX-License-Identifier: Apache-2.0

#include "log/clock.h"

#include <chrono>

#include "absl/base/no_destructor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace varve {
namespace {

class RealClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }

  absl::Time Steady() override {
    return absl::UnixEpoch() +
           absl::FromChrono(
               std::chrono::steady_clock::now().time_since_epoch());
  }
};

}  // namespace

Clock* Clock::Real() {
  static absl::NoDestructor<RealClock> clock;
  return clock.get();
}

}  // namespace varve
