// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/clock.h"

#include <chrono>
#include <cstdint>

#include "absl/base/no_destructor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/log/system/wall_clock.h"

namespace varve {
namespace {

class RealClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }

  int64_t NowMs() override { return WallClockMs(); }

  absl::Time Steady() override {
    return absl::UnixEpoch() +
           absl::FromChrono(
               std::chrono::steady_clock::now().time_since_epoch());
  }

  int64_t SteadyNanoseconds() override {
    return std::chrono::nanoseconds(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

Clock* Clock::Real() {
  static absl::NoDestructor<RealClock> clock;
  return clock.get();
}

}  // namespace varve
