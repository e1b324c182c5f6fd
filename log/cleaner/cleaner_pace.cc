// SPDX-License-Identifier: Apache-2.0

#include "varve/log/cleaner/cleaner_pace.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/log/system/clock.h"

namespace varve {

CleanerPace::CleanerPace(Limits limits, Clock* clock)
    : limits_(std::move(limits)), clock_(clock), allowed_at_(clock->Steady()) {}

absl::Status CleanerPace::Spend(int64_t bytes) {
  if (limits_.wait == nullptr) return absl::OkStatus();
  absl::Duration ahead = absl::ZeroDuration();
  if (limits_.bytes_per_second > 0) {
    const absl::Time now = clock_->Steady();
    // Time in which nothing was done is not saved up.
    allowed_at_ = std::max(allowed_at_, now) +
                  absl::Seconds(1) * bytes / limits_.bytes_per_second;
    ahead = allowed_at_ - now;
  }
  return limits_.wait(ahead) ? absl::OkStatus()
                             : absl::CancelledError("compaction was stopped");
}

}  // namespace varve
