// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_timestamp.h"

#include <cstdint>
#include <limits>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/log/batch/record.h"

namespace varve {

absl::StatusOr<int64_t> TimestampMs(absl::Time time) {
  const int64_t ms = absl::ToUnixMillis(time);
  // Abseil saturates: the largest value stands for everything beyond it.
  if (ms >= 0 && ms <= kTimestampMax) return ms;
  return absl::InvalidArgumentError(
      absl::StrCat("timestamp ", absl::FormatTime(time, absl::UTCTimeZone()),
                   " is outside 1970-01-01 to the end of 63-bit milliseconds"));
}

int64_t TimestampAtOrAfter(absl::Time time) {
  const int64_t floor_ms = absl::ToUnixMillis(time);
  const bool is_saturated = floor_ms == std::numeric_limits<int64_t>::max();
  return is_saturated || absl::FromUnixMillis(floor_ms) >= time ? floor_ms
                                                                : floor_ms + 1;
}

absl::StatusOr<int64_t> RecordTimestampMs(const Record& record,
                                          int64_t default_ms) {
  DCHECK(IsTimestampOrNone(default_ms)) << default_ms;
  if (!record.timestamp.has_value()) return default_ms;
  return TimestampMs(*record.timestamp);
}

}  // namespace varve
