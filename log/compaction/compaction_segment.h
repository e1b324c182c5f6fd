// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_COMPACTION_SEGMENT_H_
#define VARVE_LOG_COMPACTION_COMPACTION_SEGMENT_H_

#include <cstdint>

namespace varve {

// The facts of one segment that compaction needs.
//
// Thread safety: a value.
struct CompactionSegment {
  int64_t base_offset = 0;
  int64_t size_bytes = 0;  // of its .log
  int64_t offset_index_bytes = 0;
  int64_t time_index_bytes = 0;
  // The largest timestamp in it; -1 when no record has one.
  int64_t max_timestamp_ms = -1;
  // The largest timestamp of its first batch; -1 when it has none.
  int64_t first_timestamp_ms = -1;
  // When its .log was last written, by the file system; -1 when not known.
  int64_t modified_ms = -1;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_COMPACTION_SEGMENT_H_
