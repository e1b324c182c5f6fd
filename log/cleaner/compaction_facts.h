// SPDX-License-Identifier: Apache-2.0

// What compaction has to know of a log's segments before it looks at batches.

#ifndef VARVE_LOG_CLEANER_COMPACTION_FACTS_H_
#define VARVE_LOG_CLEANER_COMPACTION_FACTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "varve/log/compaction/compaction_segment.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What retention knows of them, too. The rest is left out.
std::vector<CompactionSegment> CompactionSegmentsOf(
    absl::Span<const RetentionSegment> segments);

// Adds the time of the first batch of each, for max.compaction.lag.ms: of those
// that end above `from`. Reads a header each.
//
// Errors: file errors (log/system/errno_status.h).
absl::Status AddFirstTimestamps(Directory& directory, int64_t from,
                                std::vector<CompactionSegment>& segments);

// Adds the sizes of the two indexes, by which segments are grouped; 0 for one
// that is missing. Errors: file errors.
absl::Status AddIndexSizes(Directory& directory,
                           absl::Span<CompactionSegment> segments);

}  // namespace varve

#endif  // VARVE_LOG_CLEANER_COMPACTION_FACTS_H_
