// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_CLOCK_H_
#define VARVE_LOG_SYSTEM_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"

namespace varve {

// The log's source of time; tests supply their own.
//
// Thread safety: thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall-clock time. It may jump in either direction; callers that need
  // an order clamp it themselves.
  virtual absl::Time Now() = 0;

  // The same in milliseconds since the Unix epoch, at a third of the cost with
  // the real clock.
  virtual int64_t NowMs() { return absl::ToUnixMillis(Now()); }

  // A time that never jumps, for intervals; its zero means nothing. A clock
  // that overrides only `Now` uses that for both.
  virtual absl::Time Steady() { return Now(); }

  // `Steady` as a number of nanoseconds, for latencies: the real clock's costs
  // half as much.
  virtual int64_t SteadyNanoseconds() {
    return absl::ToInt64Nanoseconds(Steady() - absl::UnixEpoch());
  }

  // The real clock. Never destroyed.
  static Clock* Real();
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_CLOCK_H_
