// SPDX-License-Identifier: Apache-2.0

#include "api/file_system_check.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "api/store_options.h"
#include "log/file_system.h"
#include "log/file_system_type.h"

namespace varve {

absl::StatusOr<FileSystemType> CheckFileSystem(Directory& directory,
                                               FileSystemPolicy policy) {
  const absl::StatusOr<FileSystemType> type = directory.Type();
  if (!type.ok()) return type;
  const FileSystemSupport support = SupportOf(*type);
  if (policy == FileSystemPolicy::kAllowAny ||
      support == FileSystemSupport::kFull ||
      support == FileSystemSupport::kNotDurable) {
    return type;
  }
  return absl::FailedPreconditionError(
      absl::StrCat(directory.path(), " is on ", FileSystemName(*type),
                   support == FileSystemSupport::kRemote
                       ? ", where neither the lock nor a sync can be relied on"
                       : ", where a full disk can end the program with SIGBUS",
                   ": put the store on ext4, XFS or tmpfs, or allow it by "
                   "StoreOptions::file_system"));
}

}  // namespace varve
