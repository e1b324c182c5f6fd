// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BACKUP_FILE_COPY_H_
#define VARVE_LOG_BACKUP_FILE_COPY_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Called with the number of bytes copied since the last call; may be null.
using CopyProgress = std::function<void(int64_t bytes)>;

// Copies the bytes that `source` has now, front to back, to the file `name` of
// `destination`, and syncs it; its name is durable after a sync of the
// directory. A file of that name is removed first, so whoever has that one open
// or mapped keeps it as it was. Zeros take no room on the disk.
//
// Returns how many bytes it copied: fewer if the file is cut meanwhile. What is
// appended meanwhile is left out, and of what is stored below its size any part
// may be in the copy.
//
// Errors: file errors of either file (log/system/errno_status.h). The copy may
// be there in part then, and is not to be believed.
absl::StatusOr<int64_t> CopyBytes(File& source, Directory& destination,
                                  std::string_view name,
                                  const CopyProgress& progress);

}  // namespace varve

#endif  // VARVE_LOG_BACKUP_FILE_COPY_H_
