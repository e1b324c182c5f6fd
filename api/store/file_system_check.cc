// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/file_system_check.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/store_options.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

absl::StatusOr<FileSystemType> CheckFileSystem(Directory& directory,
                                               FileSystemPolicy policy) {
  const absl::StatusOr<FileSystemType> type = directory.Type();
  if (!type.ok()) return type;
  const FileSystemSupport support = SupportOf(*type);
  if (policy == FileSystemPolicy::kAllowAny ||
      support != FileSystemSupport::kRemote) {
    return type;
  }
  return absl::FailedPreconditionError(
      absl::StrCat(directory.path(), " is on ", FileSystemName(*type),
                   ", where neither the lock nor a sync can be relied on: put "
                   "the store on a disk of this machine, or allow it by "
                   "StoreOptions::file_system"));
}

}  // namespace varve
