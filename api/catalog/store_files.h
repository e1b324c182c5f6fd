// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CATALOG_STORE_FILES_H_
#define VARVE_API_CATALOG_STORE_FILES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The regular files at the top of a data directory (log/FORMAT.md, "Store
// files").

inline constexpr std::string_view kLockName = ".lock";
inline constexpr std::string_view kCleanShutdownName = ".kafka_cleanshutdown";
inline constexpr std::string_view kTopicsName = "varve.topics";
inline constexpr std::string_view kCheckpointName = "varve.checkpoint";
inline constexpr std::string_view kReserveName = "varve.reserve";
// Kafka's copies of the contents of varve.checkpoint.
inline constexpr std::string_view kRecoveryPointName =
    "recovery-point-offset-checkpoint";
inline constexpr std::string_view kLogStartName = "log-start-offset-checkpoint";
inline constexpr std::string_view kCleanerName = "cleaner-offset-checkpoint";

// What makes a directory a backup: only its existence counts. No store is
// opened there for writing, and without varve.topics the backup is not
// finished.
inline constexpr std::string_view kBackupName = "varve.backup";
// Says that a restore into the directory is not finished: it is no store yet.
inline constexpr std::string_view kRestoreName = "varve.restore";

enum class DirectoryContents {
  kEmpty,  // nothing, or what a store's creation leaves when it is cut short
  kStore,
  kBackup,  // a store that is only read
  kUnfinishedBackup,
  kUnfinishedRestore,
};

// Says what a directory is, so that nothing is written into another program's.
//
// Errors: FailedPrecondition when it is none of these; the message says whose
// it seems to be and what to do.
absl::StatusOr<DirectoryContents> FindContents(Directory& directory);

// The same for who opens a store: kEmpty, kStore or kBackup.
//
// Errors: FailedPrecondition also for a backup or a restore that is not
// finished.
absl::StatusOr<DirectoryContents> InspectDirectory(Directory& directory);

// The error of opening the backup in a directory for writing.
absl::Status BackupIsReadOnly(const Directory& directory);

// Errors: NotFound; DataLoss and FailedPrecondition, with the path, as
// TopicCatalog::FromText says.
absl::StatusOr<TopicCatalog> ReadTopicCatalog(Directory& directory);

// The file is durable on return, as are those that the functions below write.
absl::Status WriteTopicCatalog(Directory& directory,
                               const TopicCatalog& catalog);

// Falls back on Kafka's copies when varve.checkpoint is missing or damaged, and
// on an empty checkpoint when they are, too; the reason is added to `notes`,
// and the origin says which it was. A recovery point that is too low costs time
// at an unclean open, and damage above it is then judged as a crash's, not as
// corruption.
//
// Errors: FailedPrecondition when a newer version wrote it; file errors
// (log/system/errno_status.h).
absl::StatusOr<FoundCheckpoint> ReadStoreCheckpoint(
    Directory& directory, std::vector<std::string>& notes);
absl::Status WriteStoreCheckpoint(Directory& directory,
                                  const StoreCheckpoint& checkpoint);

// Writes the copies that Kafka reads. They may be out of date: they are lower
// bounds, too.
absl::Status WriteKafkaCheckpoints(Directory& directory,
                                   const StoreCheckpoint& checkpoint);

absl::StatusOr<bool> HasCleanShutdownMarker(Directory& directory);
absl::Status WriteCleanShutdownMarker(Directory& directory);
// Returns OK when there is none.
absl::Status RemoveCleanShutdownMarker(Directory& directory);

}  // namespace varve

#endif  // VARVE_API_CATALOG_STORE_FILES_H_
