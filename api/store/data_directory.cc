// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/data_directory.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/writer_directory.h"
#include "varve/api/store_options.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// What is in the directory, if a store may be opened for writing there.
absl::StatusOr<DirectoryContents> CheckContents(Directory& directory,
                                                MissingStore missing) {
  absl::StatusOr<DirectoryContents> contents = InspectDirectory(directory);
  if (!contents.ok()) return contents;
  if (*contents == DirectoryContents::kBackup)
    return BackupIsReadOnly(directory);
  if (*contents == DirectoryContents::kEmpty &&
      missing == MissingStore::kFail) {
    return absl::NotFoundError(absl::StrCat(
        directory.path(), ": there is no store, the directory is empty"));
  }
  return contents;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Directory>> OpenDataDirectory(
    const std::string& path, const StoreOptions& options) {
  FileSystem& files = *options.environment.files;
  if (options.missing == MissingStore::kCreate)
    return OpenOrMakeDirectory(path, files);
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      files.OpenDirectory(path);
  if (!absl::IsNotFound(directory.status())) return directory;
  return absl::NotFoundError(absl::StrCat(path, ": there is no store"));
}

absl::StatusOr<std::unique_ptr<File>> LockDataDirectory(
    Directory& directory, const StoreOptions& options) {
  // It is looked at before the lock, so that none is made in another program's
  // directory, and again when no backup or restore can change it any more.
  absl::StatusOr<DirectoryContents> contents =
      CheckContents(directory, options.missing);
  if (!contents.ok()) return contents.status();
  absl::StatusOr<std::unique_ptr<File>> lock = LockDirectory(directory);
  if (!lock.ok()) return lock;
  contents = CheckContents(directory, options.missing);
  if (!contents.ok()) return contents.status();
  if (*contents == DirectoryContents::kEmpty) {
    absl::Status status =
        SyncParent(directory.path(), *options.environment.files);
    if (!status.ok()) return status;
  }
  return lock;
}

}  // namespace varve
