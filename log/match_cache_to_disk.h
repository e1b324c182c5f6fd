// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_MATCH_CACHE_TO_DISK_H_
#define VARVE_LOG_MATCH_CACHE_TO_DISK_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace varve {

// Reads from a position of a file, what the disk holds, and returns how many
// bytes there were: fewer only at its end. Position, size and address are
// multiples of kDiskReadAlignment.
using ReadDisk =
    absl::FunctionRef<absl::StatusOr<size_t>(int64_t, absl::Span<char>)>;

inline constexpr int64_t kDiskReadAlignment = int64_t{64} << 10;

// Sees to it that from now on what is read from a file, and what anybody has
// mapped of it, is what the disk holds. After a failed write-back the kernel
// keeps the pages, as clean ones, for as long as somebody maps them: another
// process, or a view of a log that is closed by now.
//
// The cache is synced and dropped. What stays of it is compared with the disk,
// which is read past the cache (O_DIRECT), and where they differ the disk's
// bytes are written over it. So it costs nothing when nobody maps the file. On
// a file system without a disk it does nothing.
//
// `descriptor` is that of a file open for both; nobody else uses it now.
//
// Errors: FailedPrecondition when pages stay and the file system has no
// O_DIRECT: what the disk holds cannot be told before they go. Those of the
// calls. The file is as it was, or closer to the disk.
absl::Status MatchCacheToDisk(int descriptor, const std::string& path);

// The second half of it, with another way to read the disk.
absl::Status MatchCachedPages(int descriptor, const std::string& path,
                              ReadDisk read_disk);

}  // namespace varve

#endif  // VARVE_LOG_MATCH_CACHE_TO_DISK_H_
