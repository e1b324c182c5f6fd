// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_LARGEST_TIMESTAMP_H_
#define VARVE_LOG_LARGEST_TIMESTAMP_H_

#include <cstdint>

#include "log/segment.h"

namespace varve {

// The largest timestamp of a segment's batches, -1 when none has one.
//
// For whoever deletes by it: the batches say it, not the time index alone. That
// one only says from where on it is worth looking, and when the batch it names
// does not agree, all are looked at. Damaged batches are stepped over. Only
// headers are read.
//
// Thread safety: as of the segment's readers.
int64_t FindLargestTimestamp(const Segment& segment);

}  // namespace varve

#endif  // VARVE_LOG_LARGEST_TIMESTAMP_H_
