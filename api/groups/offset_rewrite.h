// SPDX-License-Identifier: Apache-2.0

// Keeps a partition of __consumer_offsets small: its log grows with every
// commit, and only the last one of each key counts.

#ifndef VARVE_API_GROUPS_OFFSET_REWRITE_H_
#define VARVE_API_GROUPS_OFFSET_REWRITE_H_

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

// A log is rewritten when it has this many bytes of batches at least, and this
// many times what its live records take: so writing commits again costs a
// third of writing them, at most.
inline constexpr int64_t kOffsetRewriteBytesMin = int64_t{1} << 20;
inline constexpr int64_t kOffsetRewriteFactor = 4;

inline int64_t OffsetRewriteBytes(int64_t live_bytes) {
  return std::max(kOffsetRewriteBytesMin, kOffsetRewriteFactor * live_bytes);
}

// Appends all records of the table to the log again, in a new segment, makes
// them durable, and deletes the segments before. Returns the bytes of batches
// that the log has now.
//
// A crash at any step leaves a log that makes the same table: until the end,
// the old records are all there, and the new ones say the same.
//
// Errors: those of PartitionLog; the log is longer then, and as correct as
// before.
//
// Precondition: the table is the one that the log makes, and no other thread
// appends to the log.
absl::StatusOr<int64_t> RewriteOffsets(PartitionLog& log,
                                       const OffsetTable& table,
                                       int64_t now_ms);

}  // namespace varve

#endif  // VARVE_API_GROUPS_OFFSET_REWRITE_H_
