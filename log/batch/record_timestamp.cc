// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_timestamp.h"

#include <cstdint>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varve {

absl::StatusOr<int64_t> TimestampMs(absl::Time time) {
  const int64_t ms = absl::ToUnixMillis(time);
  // Abseil saturates: the largest value stands for everything beyond it.
  if (ms >= 0 && ms <= kTimestampMax) return ms;
  return absl::InvalidArgumentError(
      absl::StrCat("timestamp ", absl::FormatTime(time, absl::UTCTimeZone()),
                   " is outside 1970-01-01 to the end of 63-bit milliseconds"));
}

absl::StatusOr<int64_t> RecordTimestampMs(const Record& record,
                                          int64_t default_ms) {
  DCHECK(IsTimestampOrNone(default_ms)) << default_ms;
  if (!record.timestamp.has_value()) return default_ms;
  return TimestampMs(*record.timestamp);
}

}  // namespace varve
