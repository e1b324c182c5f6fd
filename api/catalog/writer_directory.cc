// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/writer_directory.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/store_files.h"
#include "varve/log/metadata/lock_conflict.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<std::unique_ptr<Directory>> OpenOrMakeDirectory(
    const std::string& path, FileSystem& files) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      files.OpenDirectory(path);
  if (!absl::IsNotFound(directory.status())) return directory;
  if (absl::Status status = files.CreateDirectories(path); !status.ok())
    return status;
  return files.OpenDirectory(path);
}

absl::StatusOr<std::unique_ptr<File>> LockDirectory(Directory& directory) {
  absl::StatusOr<std::unique_ptr<File>> lock =
      directory.OpenFile(kLockName, OpenMode::kCreate);
  if (!lock.ok()) return lock;
  absl::Status status = (*lock)->Lock();
  if (absl::IsFailedPrecondition(status)) {
    return LockConflictError(
        absl::StrCat(directory.path(),
                     ": another writer has it open, or copies to it; one "
                     "process writes at a time"));
  }
  if (!status.ok()) return status;
  return lock;
}

absl::Status SyncParent(const std::string& path, FileSystem& files) {
  absl::StatusOr<std::unique_ptr<Directory>> parent =
      files.OpenDirectory(absl::StrCat(path, "/.."));
  if (absl::IsPermissionDenied(parent.status())) return absl::OkStatus();
  return parent.ok() ? (*parent)->Sync() : parent.status();
}

}  // namespace varve
