// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SET_ASIDE_H_
#define VARVE_LOG_SET_ASIDE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/file_system.h"

namespace varve {

// Recovery destroys nothing: what it cuts off a log goes into `cut-…` files
// beside it first (log/segment_name.h has the name). Nothing in varve removes
// them; they are named in the recovery report for the user to look at and
// delete. So that crashes cannot fill a disk with them, one partition keeps
// kSetAsideBytesMax of them at most, and then is not recovered for writing
// until some are gone.

// Not a matter of the topic's configs, which may change between the crash and
// the recovery. Four segments of the largest size there is.
inline constexpr int64_t kSetAsideBytesMax = int64_t{8} << 30;

// Copies `bytes`, which stood at `position` of segment `base_offset`, and
// syncs the copy and its directory entry. Returns the file's name; a copy that
// an interrupted recovery made already is not made again.
//
// Errors: ResourceExhausted when the disk has no room, or the partition's
// set-aside files would exceed the limit; no file is left behind then.
absl::StatusOr<std::string> SetAsideBytes(Directory& directory,
                                          int64_t base_offset, int64_t position,
                                          std::string_view bytes);

// Removes the indexes and the sidecar of segment `base_offset` and renames its
// whole .log; one that holds nothing but zeros is removed. Takes no room.
// Returns the new name, which is empty for one that was removed. Durable after
// a sync of the directory.
//
// Errors: ResourceExhausted when there are too many of one place already;
// those of the files. What was done stays done, and a later call goes on.
absl::StatusOr<std::string> SetAsideSegment(Directory& directory,
                                            int64_t base_offset);

}  // namespace varve

#endif  // VARVE_LOG_SET_ASIDE_H_
