// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_SET_ASIDE_H_
#define VARVE_LOG_RECOVERY_SET_ASIDE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Recovery destroys nothing: bytes that it cuts off a log are kept in `cut-…`
// files beside it first (log/metadata/file_names.h has the name). Nothing but
// the deletion of their topic removes them; the recovery report names them for
// the user to look at and delete. So that crashes cannot fill a disk with them,
// a partition keeps at most kSetAsideBytesMax of them, and then is not
// recovered for writing until some are deleted.

// Four segments of the largest possible size. It does not depend on the topic's
// configs, which may change between the crash and the recovery.
inline constexpr int64_t kSetAsideBytesMax = int64_t{8} << 30;

// Copies `bytes`, which are at `position` of segment `base_offset`, and syncs
// the copy and its directory entry. Returns the file's name; a copy that an
// interrupted recovery made already is not made again.
//
// Errors: ResourceExhausted when the disk has no room, or the partition's
// set-aside files would exceed the limit, and no file is left then; other file
// errors (log/system/errno_status.h).
absl::StatusOr<std::string> SetAsideBytes(Directory& directory,
                                          int64_t base_offset, int64_t position,
                                          std::string_view bytes);

// Removes the indexes and the sidecar of segment `base_offset` and renames its
// whole .log; one that holds nothing but zeros is removed. Needs no disk space.
// Returns the new name, which is empty for a .log that was removed. Durable
// after a sync of the directory.
//
// Errors: ResourceExhausted when there are already too many files for one
// place; other file errors. Completed steps stay done, and a later call
// continues.
absl::StatusOr<std::string> SetAsideSegment(Directory& directory,
                                            int64_t base_offset);

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_SET_ASIDE_H_
