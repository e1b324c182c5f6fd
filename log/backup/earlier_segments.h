// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BACKUP_EARLIER_SEGMENTS_H_
#define VARVE_LOG_BACKUP_EARLIER_SEGMENTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The segments that the destination of a copy has of an earlier one. Until the
// new copy is known to be good they may be the last good ones: what has to make
// room is put aside, as `displaced-…` (log/metadata/file_names.h), and removed
// at the end.
//
// All of these do nothing where there is nothing to do, so they can be
// interrupted and repeated; their changes are durable after a sync of the
// directory. Errors: file errors (log/system/errno_status.h).

// Puts the .log of the segment aside, and removes the files beside it, which
// can be made again. If a .log of that base offset was put aside before, by a
// copy that was not finished, that one stays, and this one is removed.
absl::Status DisplaceSegment(Directory& directory, int64_t base_offset);

// Removes the segments whose base offsets are below `base_offset`: they were
// trimmed in the source.
absl::Status RemoveSegmentsBefore(Directory& directory, int64_t base_offset);

// Removes what was put aside, and syncs the directory.
absl::Status RemoveDisplaced(Directory& directory);

}  // namespace varve

#endif  // VARVE_LOG_BACKUP_EARLIER_SEGMENTS_H_
