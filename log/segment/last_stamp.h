// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_LAST_STAMP_H_
#define VARVE_LOG_SEGMENT_LAST_STAMP_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The time that the log stamped last (LogAppendTime), by its batches; -1 when
// it has stamped none later than `now_ms`. Stamps never go back, so the next
// stamp is this or later, whatever the clock says.
//
// Reads the last segment that has batches, and earlier ones only where records
// have times of their own: those whose sidecar has a time after `now_ms`, and
// those without a sidecar. Damaged batches and segments are skipped. Segments
// are opened for this call only: the list does not change.
//
// Errors: ResourceExhausted when a segment cannot be opened for want of
// descriptors or address space.
absl::StatusOr<int64_t> FindLastStamp(Directory& directory,
                                      const SegmentList& segments,
                                      int64_t now_ms);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_LAST_STAMP_H_
