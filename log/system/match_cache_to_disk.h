// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_MATCH_CACHE_TO_DISK_H_
#define VARVE_LOG_SYSTEM_MATCH_CACHE_TO_DISK_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace varve {

// Reads what the disk holds of a file from a position on, and returns how many
// bytes there were: fewer only at the end of the file. Position, size and
// address are multiples of kDiskReadAlignment.
using ReadDisk =
    absl::FunctionRef<absl::StatusOr<size_t>(int64_t, absl::Span<char>)>;

inline constexpr int64_t kDiskReadAlignment = int64_t{64} << 10;

// Makes reads of a file, and all mappings of it, show what the disk holds from
// now on. After a failed write-back the kernel keeps the pages, marked clean,
// as long as they are mapped: by another process, or by a view of a log that is
// closed by now.
//
// The cache is synced and dropped. Pages that stay are compared with the disk,
// which is read past the cache (O_DIRECT), and overwritten with its bytes where
// they differ. So comparing costs nothing when no process maps the file. On a
// file system without a disk it does nothing.
//
// `descriptor` is open for reading and writing, and no other thread uses it
// during the call.
//
// Errors: FailedPrecondition when pages stay and the file system has no
// O_DIRECT: what the disk holds is not known until they are dropped; file
// errors (log/system/errno_status.h). After an error the cache is as it was, or
// closer to the disk.
absl::Status MatchCacheToDisk(int descriptor, const std::string& path);

// The comparison of MatchCacheToDisk alone, with the disk read by `read_disk`.
absl::Status MatchCachedPages(int descriptor, const std::string& path,
                              ReadDisk read_disk);

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_MATCH_CACHE_TO_DISK_H_
