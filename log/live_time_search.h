// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_LIVE_TIME_SEARCH_H_
#define VARVE_LOG_LIVE_TIME_SEARCH_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "log/live_log.h"

namespace varve {

// The offset of the first record whose timestamp is `timestamp_ms` or later, in
// a log whose writer is another process; its visible end when there is none.
// As log/time_search.h says of a segment: time indexes rule segments and fronts
// of segments out, and damage is stepped over.
//
// Precondition: the log has been refreshed.
// Errors: those of the files.
absl::StatusOr<int64_t> FindLiveOffsetForTime(LiveLog& log,
                                              int64_t timestamp_ms);

// The smallest timestamp that is not before `time`.
int64_t TimestampAtOrAfter(absl::Time time);

}  // namespace varve

#endif  // VARVE_LOG_LIVE_TIME_SEARCH_H_
