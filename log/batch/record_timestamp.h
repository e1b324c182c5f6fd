// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_RECORD_TIMESTAMP_H_
#define VARVE_LOG_BATCH_RECORD_TIMESTAMP_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/record.h"

namespace varve {

// Timestamps in the files are 0 to this, in milliseconds since the Unix epoch,
// or -1 for none: log/FORMAT.md, "Limits".
inline constexpr int64_t kTimestampMax =
    std::numeric_limits<int64_t>::max() - 1;
inline bool IsTimestampOrNone(int64_t timestamp_ms) {
  return timestamp_ms >= -1 && timestamp_ms <= kTimestampMax;
}

// The time of an append when the clock shows `now_ms`: never before 1970, nor
// after the largest timestamp.
inline int64_t AppendTimeMs(int64_t now_ms) {
  return std::clamp(now_ms, int64_t{0}, kTimestampMax);
}

// `time` in the files' unit: milliseconds since the Unix epoch, rounded down.
//
// Errors: InvalidArgument before the epoch, or beyond what 63 bits of
// milliseconds hold (292 million years).
absl::StatusOr<int64_t> TimestampMs(absl::Time time);

// The smallest timestamp that is not before `time`, for what is asked of
// records by time: a record of the millisecond that `time` lies in is earlier.
// Before 1970 it is negative, which no record's time is; what 64 bits of
// milliseconds do not hold is the smallest or the largest of them.
int64_t TimestampAtOrAfter(absl::Time time);

// The time that a timestamp stands for; InfinitePast for none.
inline absl::Time TimeOfTimestamp(int64_t timestamp_ms) {
  return timestamp_ms < 0 ? absl::InfinitePast()
                          : absl::FromUnixMillis(timestamp_ms);
}

// The timestamp to store for `record`: its own, or `default_ms` if it has none.
// Precondition: `default_ms` is a valid timestamp.
//
// Errors: those of TimestampMs.
absl::StatusOr<int64_t> RecordTimestampMs(const Record& record,
                                          int64_t default_ms);

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_TIMESTAMP_H_
