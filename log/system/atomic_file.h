// SPDX-License-Identifier: Apache-2.0

// Small files that are read and replaced as a whole: checkpoints and metadata.

#ifndef VARVE_LOG_SYSTEM_ATOMIC_FILE_H_
#define VARVE_LOG_SYSTEM_ATOMIC_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The suffix of a file's name while its next contents are written. Only a crash
// leaves such a file, and it means nothing.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

// The contents of the file `name`. Bytes that are appended while it is read are
// left out.
//
// Errors: NotFound; DataLoss when it is larger than `size_max` bytes, which no
// file of this kind is; other file errors (log/system/errno_status.h).
absl::StatusOr<std::string> ReadWholeFile(Directory& directory,
                                          std::string_view name,
                                          int64_t size_max);

// Gives the file `name` new contents: at every moment, a power loss included,
// it holds either the old ones or the new ones. They are written to a file
// beside it, which is synced and renamed over it; durable on return.
//
// Callers that replace the same file must take turns.
//
// Errors: file errors. Before the rename the file is unchanged, and the new one
// is removed again. When only the last step fails, the sync of the directory,
// the file has its new contents, but a power loss may undo that.
absl::Status ReplaceFile(Directory& directory, std::string_view name,
                         std::string_view contents);

// Like ReplaceFile, but without the sync of the directory. The caller syncs it
// before the new contents have to survive a power loss; until then a power loss
// may bring the old ones back.
absl::Status ReplaceFileNameUnsynced(Directory& directory,
                                     std::string_view name,
                                     std::string_view contents);

// Like ReplaceFile, but without any sync, for contents that need not survive a
// power loss: readers see the old or the new contents, but a power loss may
// leave neither.
absl::Status ReplaceFileUnsynced(Directory& directory, std::string_view name,
                                 std::string_view contents);

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_ATOMIC_FILE_H_
