// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_INDEX_FILE_SEARCH_H_
#define VARVE_LOG_INDEX_FILE_SEARCH_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "index/offset_index.h"
#include "index/time_index.h"
#include "log/file_system.h"

namespace varve {

// Looks something up in the index files of a segment that another process may
// be writing: by reading single entries, so that the file may grow, be trimmed
// or hold anything at all meanwhile. Zeros behind the entries in use are none.
//
// What is returned is a hint, to be believed only when the batch it names
// agrees. Each costs O(log entries) reads of a few bytes.
//
// Errors: those of reading the file.

// The entry with the largest offset that is `offset` or less, if any.
absl::StatusOr<std::optional<OffsetPosition>> FindOffsetEntry(
    File& index, int64_t base_offset, int64_t offset);

// As TimeIndex::LookupPair: the entry with the largest timestamp that is
// `timestamp_ms` or less, and the one before it; {-1, base offset} for none.
absl::StatusOr<TimeIndex::Pair> FindTimeEntries(File& time_index,
                                                int64_t base_offset,
                                                int64_t timestamp_ms);

// The entry that ends the file: of a segment that is sealed, its largest
// timestamp. Nothing when there is room behind the entries still.
absl::StatusOr<std::optional<TimestampOffset>> FindFinalTimeEntry(
    File& time_index, int64_t base_offset);

}  // namespace varve

#endif  // VARVE_LOG_INDEX_FILE_SEARCH_H_
