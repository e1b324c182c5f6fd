// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECORD_TIMESTAMP_H_
#define VARVE_LOG_RECORD_TIMESTAMP_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "log/record.h"

namespace varve {

// `time` in the files' unit: milliseconds since the Unix epoch, rounded down.
//
// Errors: InvalidArgument before the epoch, or beyond what 63 bits of
// milliseconds hold (292 million years).
absl::StatusOr<int64_t> TimestampMs(absl::Time time);

// The time that a timestamp stands for; InfinitePast for none.
inline absl::Time TimeOfTimestamp(int64_t timestamp_ms) {
  return timestamp_ms < 0 ? absl::InfinitePast()
                          : absl::FromUnixMillis(timestamp_ms);
}

// The timestamp to store for `record`: its own, or `default_ms` if it has none.
//
// Errors: as TimestampMs.
absl::StatusOr<int64_t> RecordTimestampMs(const Record& record,
                                          int64_t default_ms);

}  // namespace varve

#endif  // VARVE_LOG_RECORD_TIMESTAMP_H_
