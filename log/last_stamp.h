// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_LAST_STAMP_H_
#define VARVE_LOG_LAST_STAMP_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "log/file_system.h"
#include "log/segment_list.h"

namespace varve {

// The time that the log stamped last (LogAppendTime), by its batches; -1 when
// it has stamped none later than `now_ms`. What a log stamps never goes back,
// so the next stamp is this or later, whatever the clock says.
//
// Looks at the last segment that has batches, and further back only where
// records have times of their own: in segments whose sidecar says that they
// have a time after `now_ms`, or that have none. Damaged batches and segments
// are passed over. Opens what it needs for itself: the list stays as it is.
//
// Errors: ResourceExhausted when a segment cannot be opened for want of
// descriptors or address space.
absl::StatusOr<int64_t> FindLastStamp(Directory& directory,
                                      const SegmentList& segments,
                                      int64_t now_ms);

}  // namespace varve

#endif  // VARVE_LOG_LAST_STAMP_H_
