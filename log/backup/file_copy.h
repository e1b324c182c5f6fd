// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BACKUP_FILE_COPY_H_
#define VARVE_LOG_BACKUP_FILE_COPY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Called with the number of bytes copied since the last call; may be null.
using CopyProgress = std::function<void(int64_t bytes)>;

// Copies the bytes that `source` has now, front to back, to the file `name` of
// `destination`, and syncs them; the name is durable after a sync of the
// directory. An earlier file of that name is there until the whole copy takes
// its place, and whoever has it open or mapped keeps it as it was. Zeros take
// no room on the disk.
//
// Returns how many bytes it copied: fewer if the file is cut meanwhile. What is
// appended meanwhile is left out, and of what is stored below its size any part
// may be in the copy.
//
// Errors: file errors of either file (log/system/errno_status.h). The earlier
// file is as it was then.
absl::StatusOr<int64_t> CopyBytes(File& source, Directory& destination,
                                  std::string_view name,
                                  const CopyProgress& progress);

// The same without the last step: the copy has the name TemporaryNameOf(name),
// and the caller renames it.
absl::StatusOr<int64_t> CopyBytesBeside(File& source, Directory& destination,
                                        std::string_view name,
                                        const CopyProgress& progress);
std::string TemporaryNameOf(std::string_view name);

}  // namespace varve

#endif  // VARVE_LOG_BACKUP_FILE_COPY_H_
