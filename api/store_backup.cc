// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store_backup.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/api/backup/copy_source.h"
#include "varve/api/backup/store_copier.h"
#include "varve/api/store_copy.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::StatusOr<StoreCopy> Copy(const std::string& from, const std::string& to,
                               CopyKind kind, const StoreCopyOptions& options,
                               const Environment& environment) {
  absl::StatusOr<std::unique_ptr<Directory>> source =
      OpenCopySource(from, kind, *environment.files);
  if (!source.ok()) return source.status();
  absl::Status apart = CheckApart(**source, to, *environment.files);
  if (!apart.ok()) return apart;
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
