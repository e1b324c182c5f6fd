// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_LIVE_SEGMENT_SEARCH_H_
#define VARVE_LOG_LIVE_SEGMENT_SEARCH_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "index/time_index.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/live_segment.h"

namespace varve {

// Searches in a segment whose writer is another process. `directory` is the
// partition's. Index files are read, never mapped, and believed only as far as
// the batches agree.
//
// Errors: those of reading the files.

// Where to begin to look for `offset`: a batch at or before it, at most the
// index interval away; the front of the segment when its index does not help.
absl::StatusOr<BatchPlace> FindLivePlace(Directory& directory,
                                         const LiveSegment& segment,
                                         int64_t offset);

// The batch that a time entry names, if it has the timestamp that the entry
// says; nothing when they do not agree.
absl::StatusOr<std::optional<BatchPlace>> FindLiveBatchOf(
    Directory& directory, const LiveSegment& segment,
    const TimestampOffset& entry);

// Whether the file is a whole number of batches, so that nobody is going to
// trim it. `next_base_offset` is that of the segment behind: without one, a new
// writer could open this one again. May say no where an index does not help.
absl::StatusOr<bool> IsSealed(Directory& directory, const LiveSegment& segment,
                              int64_t next_base_offset);

// The first whole batch behind a place where none stands. Looks at
// kLiveSearchMax bytes at most.
inline constexpr int64_t kLiveSearchMax = int64_t{64} << 20;
absl::StatusOr<std::optional<BatchPlace>> FindLiveBatchBehind(
    const LiveSegment& segment, const BatchPlace& stop, Continuity continuity);

}  // namespace varve

#endif  // VARVE_LOG_LIVE_SEGMENT_SEARCH_H_
