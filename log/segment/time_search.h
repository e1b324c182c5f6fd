// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_TIME_SEARCH_H_
#define VARVE_LOG_SEGMENT_TIME_SEARCH_H_

#include <cstdint>
#include <limits>
#include <optional>

#include "varve/index/time_index.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"

namespace varve {

// The records that a search by time looks for.
struct TimeSearch {
  int64_t timestamp_ms = 0;
  int64_t begin_offset = 0;  // records before it do not count
  int64_t end_offset = std::numeric_limits<int64_t>::max();  // nor from it on
  const Codecs* codecs = nullptr;  // to look into compressed batches
};

// The offset of the first record of a segment whose timestamp is
// `timestamp_ms` or later; nothing when there is none.
//
// It uses the time index, then the offset index, then a scan from the time
// entry before the one for that time: an interval or two where times grow. The
// time index is believed only when the batches that these two name have the
// timestamps that they say; otherwise the whole segment is scanned. Damaged
// batches are skipped. Of a compressed batch that cannot be decompressed the
// first offset is returned: its records may be earlier, but no record before it
// is of that time or later.
//
// Allocates what the compressed batches that it looks into decompress to, one
// at a time; usually that is the one with the record.
//
// Any one flipped bit of either index makes it slower at most, never wrong.
std::optional<int64_t> FindOffsetForTime(const Segment& segment,
                                         const TimeSearch& search);

// The same, in one batch; if that is compressed, its records replace what
// `scratch` holds.
std::optional<int64_t> FindInBatch(const RecordBatch& batch,
                                   const TimeSearch& search,
                                   ByteBuffer& scratch);

// The batch that an entry of the time index names; nothing when there is no
// entry, or they do not agree. With kSkip only headers are read.
std::optional<BatchPlace> FindBatchOf(const Segment& segment,
                                      const TimestampOffset& entry,
                                      CrcCheck crc);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_TIME_SEARCH_H_
