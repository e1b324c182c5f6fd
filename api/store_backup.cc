// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store_backup.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/api/backup/store_copier.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/store_copy.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Opens what is copied: a store or a backup, if there is either.
absl::StatusOr<std::unique_ptr<Directory>> OpenSource(const std::string& path,
                                                      CopyKind kind,
                                                      FileSystem& files) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      files.OpenDirectory(path);
  if (!directory.ok()) {
    return absl::IsNotFound(directory.status())
               ? absl::NotFoundError(absl::StrCat(path, ": there is no store"))
               : directory.status();
  }
  const absl::StatusOr<DirectoryContents> contents =
      InspectDirectory(**directory);
  if (!contents.ok()) return contents.status();
  if (*contents == DirectoryContents::kEmpty)
    return absl::NotFoundError(absl::StrCat(path, ": there is no store in it"));
  if (kind == CopyKind::kRestore && *contents != DirectoryContents::kBackup) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is a store and no backup (it has no ",
                     kBackupName, "), so nothing is restored from it"));
  }
  return directory;
}

absl::StatusOr<StoreCopy> Copy(const std::string& from, const std::string& to,
                               CopyKind kind, const StoreCopyOptions& options,
                               const Environment& environment) {
  absl::StatusOr<std::unique_ptr<Directory>> source =
      OpenSource(from, kind, *environment.files);
  if (!source.ok()) return source.status();
  absl::StatusOr<std::unique_ptr<CopyDestination>> destination =
      CopyDestination::Begin(to, kind, options.existing, *environment.files);
  if (!destination.ok()) return destination.status();
  return CopyStoreFiles(*std::move(source), **destination, options,
                        environment.clock);
}

}  // namespace

absl::StatusOr<StoreCopy> BackUpStore(const BackupPaths& paths,
                                      const StoreCopyOptions& options,
                                      const Environment& environment) {
  return Copy(paths.store, paths.backup, CopyKind::kBackup, options,
              environment);
}

absl::StatusOr<StoreCopy> RestoreStore(const BackupPaths& paths,
                                       const StoreCopyOptions& options,
                                       const Environment& environment) {
  return Copy(paths.backup, paths.store, CopyKind::kRestore, options,
              environment);
}

}  // namespace varve
