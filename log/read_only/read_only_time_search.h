// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_READ_ONLY_TIME_SEARCH_H_
#define VARVE_LOG_READ_ONLY_READ_ONLY_TIME_SEARCH_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/read_only/read_only_log.h"

namespace varve {

// The offset of the first record whose timestamp is `timestamp_ms` or later, in
// a log whose writer is another process; its visible end when there is none. It
// works like log/segment/time_search.h for one segment: time indexes rule out
// segments and fronts of segments, damage is skipped, and compressed batches
// are looked into with `codecs`, or not if that is null.
//
// Precondition: the log has been refreshed.
// Errors: those of `ReadOnlyLog::Locate` and `ReadOnlyLog::Advance`.
absl::StatusOr<int64_t> FindLiveOffsetForTime(ReadOnlyLog& log,
                                              int64_t timestamp_ms,
                                              const Codecs* codecs);

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_READ_ONLY_TIME_SEARCH_H_
