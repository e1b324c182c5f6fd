// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_SEGMENT_READ_H_
#define VARVE_LOG_SEGMENT_SEGMENT_READ_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"

namespace varve {

struct SegmentReadOptions {
  int64_t offset = 0;     // the first record wanted
  int64_t max_bytes = 0;  // of batches, at most, but never less than one batch
  // Batches from this offset on are left out, because the segment may show a
  // batch before the log does. It is above `offset`.
  int64_t end_offset = std::numeric_limits<int64_t>::max();
  CrcCheck crc = CrcCheck::kVerify;
  Continuity continuity = Continuity::kExact;
  // The offset at which the log continues after the segment, if it is known.
  std::optional<int64_t> next_base_offset = {};
};

// Whole, consecutive batches in a segment's mapping. The first holds
// `SegmentReadOptions::offset`, or is the next one after it where compaction
// left a gap.
struct SegmentSlice {
  std::string_view bytes;
  int64_t next_offset = 0;      // after the last batch
  bool has_compressed = false;  // whether one of the batches is
};

// Finds a record by its offset: where a read before ended, or else by the
// offset index and a scan of at most the index interval. Then takes as many
// batches as fit. Every batch in the slice was checked (its CRC unless `crc` is
// kSkip, its continuity always); if one after the first is bad, the slice ends
// before it. Without damage each CRC is computed once, and no other batch's.
//
// Allocates nothing on success.
//
// Errors: NotFound when the segment's batches end before the offset: look in
// the next segment. DataLoss when the offset lies in damaged bytes, with path,
// position, what is wrong, and the next readable offset: in the segment, where
// a bounded search finds one, or else `SegmentReadOptions::next_base_offset`.
absl::StatusOr<SegmentSlice> ReadSegment(const Segment& segment,
                                         const SegmentReadOptions& options);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_SEGMENT_READ_H_
