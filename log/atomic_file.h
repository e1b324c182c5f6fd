// SPDX-License-Identifier: Apache-2.0

// Small files that are read and replaced as a whole: checkpoints and metadata.

#ifndef VARVE_LOG_ATOMIC_FILE_H_
#define VARVE_LOG_ATOMIC_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/file_system.h"

namespace varve {

// What a file's name has behind it while its next contents are written. Such a
// file is left behind by a crash only, and means nothing.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

// The contents of the file `name`. A file that grows while it is read is cut
// off at the size it had first.
//
// Errors: NotFound; DataLoss when it is larger than `size_max` bytes, which no
// file of this kind is; those of `Directory::OpenFile` and `File::ReadAt`.
absl::StatusOr<std::string> ReadWholeFile(Directory& directory,
                                          std::string_view name,
                                          int64_t size_max);

// Gives the file `name` new contents: at every moment, a power loss included,
// it holds either the old ones or the new ones. Written beside it, synced,
// renamed over it; durable on return.
//
// Callers that replace the same file take turns.
//
// Errors: those of the calls; before the rename the file is unchanged, and the
// new one is removed again. When only the last step failed, the sync of the
// directory, the file has its new contents, but a power loss may undo that.
absl::Status ReplaceFile(Directory& directory, std::string_view name,
                         std::string_view contents);

// The same but for the sync of the directory, which the caller does before the
// new contents have to be there after a power loss; until then it may be the
// old ones.
absl::Status ReplaceFileNameUnsynced(Directory& directory,
                                     std::string_view name,
                                     std::string_view contents);

// The same without any sync, for what need not survive a power loss: readers
// see the old contents or the new ones, but a power loss may leave neither.
absl::Status ReplaceFileUnsynced(Directory& directory, std::string_view name,
                                 std::string_view contents);

}  // namespace varve

#endif  // VARVE_LOG_ATOMIC_FILE_H_
