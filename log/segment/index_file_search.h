// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_INDEX_FILE_SEARCH_H_
#define VARVE_LOG_SEGMENT_INDEX_FILE_SEARCH_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Lookups in the index files of a segment that another process may be writing.
// They read single entries, so the file may grow, be trimmed or hold anything
// at all meanwhile. Zeros after the entries in use do not count as entries.
//
// The result is a hint, to be believed only when the batch it names agrees.
// Each lookup costs O(log entries) reads of a few bytes.
//
// Errors: file errors (log/system/errno_status.h).

// The entry with the largest offset that is `offset` or less, if any.
absl::StatusOr<std::optional<OffsetPosition>> FindOffsetEntry(
    File& index, int64_t base_offset, int64_t offset);

// Like TimeIndex::LookupPair: the entry with the largest timestamp that is
// `timestamp_ms` or less, and the one before it; {-1, base offset} for none.
absl::StatusOr<TimeIndex::Pair> FindTimeEntries(File& time_index,
                                                int64_t base_offset,
                                                int64_t timestamp_ms);

// The entry at the end of the file: for a sealed segment, its largest
// timestamp. Nothing when there is still room after the entries.
absl::StatusOr<std::optional<TimestampOffset>> FindFinalTimeEntry(
    File& time_index, int64_t base_offset);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_INDEX_FILE_SEARCH_H_
