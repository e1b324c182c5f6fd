// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_SEARCH_H_
#define VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_SEARCH_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "varve/index/time_index.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Searches in a segment whose writer is another process. `directory` is the
// partition's. Index files are read, never mapped, and believed only as far as
// the batches agree.
//
// Errors: file errors (log/system/errno_status.h).

// Where to begin to look for `offset`: a batch at or before it, at most the
// index interval away; the front of the segment when its index does not help.
// Only the header of that batch has been looked at.
absl::StatusOr<BatchPlace> FindReadOnlyPlace(Directory& directory,
                                             const ReadOnlySegment& segment,
                                             int64_t offset);

// The batch that a time entry names, if it has the timestamp of the entry;
// nothing when they do not agree.
absl::StatusOr<std::optional<BatchPlace>> FindLiveBatchOf(
    Directory& directory, const ReadOnlySegment& segment,
    const TimestampOffset& entry);

// Whether the segment is sealed: its file ends with a batch and a later segment
// exists, which begins at `next_base_offset`, so no writer will trim or reopen
// it. May be false for a sealed segment whose index is unusable.
absl::StatusOr<bool> IsSealed(Directory& directory,
                              const ReadOnlySegment& segment,
                              int64_t next_base_offset);

// The first whole batch after a place where there is none. Reads at most
// kSearchWindowMax bytes.
inline constexpr int64_t kSearchWindowMax = int64_t{64} << 20;
absl::StatusOr<std::optional<BatchPlace>> FindLiveBatchBehind(
    const ReadOnlySegment& segment, const BatchPlace& stop,
    Continuity continuity);

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_SEARCH_H_
