// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_LARGEST_TIMESTAMP_H_
#define VARVE_LOG_SEGMENT_LARGEST_TIMESTAMP_H_

#include <cstdint>

#include "varve/log/segment/segment.h"

namespace varve {

// The largest timestamp of a segment's batches, -1 when none has one.
//
// Used for deletion, so it is read from the batches. The time index only says
// where to start; if its batch disagrees, every batch is read. Damaged batches
// are skipped. Only headers are read.
//
// Thread safety: that of a reader of the segment.
int64_t FindLargestTimestamp(const Segment& segment);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_LARGEST_TIMESTAMP_H_
