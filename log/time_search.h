// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_TIME_SEARCH_H_
#define VARVE_LOG_TIME_SEARCH_H_

#include <cstdint>
#include <limits>
#include <optional>

#include "log/record_batch.h"
#include "log/segment.h"

namespace varve {

// What is looked for.
struct TimeSearch {
  int64_t timestamp_ms = 0;
  int64_t begin_offset = 0;  // records before it do not count
  int64_t end_offset = std::numeric_limits<int64_t>::max();  // nor from it on
};

// The offset of the first record of a segment whose timestamp is
// `timestamp_ms` or later; nothing when there is none.
//
// The time index, then the offset index, then a scan from the time entry before
// the one that was looked for: an interval or two where times grow. The time
// index is believed only when the batches that these two name have the
// timestamps that they say; otherwise the whole segment is scanned. Damaged
// batches are stepped over. Of a compressed batch the first offset is
// returned: its records may be earlier, never the ones before it later.
//
// Right, or slower, for any one flipped bit of either index.
std::optional<int64_t> FindOffsetForTime(const Segment& segment,
                                         const TimeSearch& search);

// The same, in one batch.
std::optional<int64_t> FindInBatch(const RecordBatch& batch,
                                   const TimeSearch& search);

}  // namespace varve

#endif  // VARVE_LOG_TIME_SEARCH_H_
