// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/store_files.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/checkpoint_text.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// A catalog of 100,000 topics with long names and configs is smaller.
constexpr int64_t kStoreFileSizeMax = int64_t{256} << 20;

// The text that Kafka 3.7 and later write; only the file's existence counts.
constexpr std::string_view kCleanShutdownText =
    "{\"version\":0,\"brokerEpoch\":-1}";

// Puts the path in front of what a parser said.
absl::Status WithPath(const Directory& directory, std::string_view name,
                      const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(directory.PathOf(name), ": ",
                                                  status.message()));
}

// Whether a store's creation makes this file before varve.topics.
bool IsOfCreation(std::string_view name) {
  return name == kLockName ||
         name == absl::StrCat(kTopicsName, kTemporarySuffix);
}

absl::StatusOr<StoreCheckpoint> ReadKafkaRecoveryPoints(Directory& directory) {
  absl::StatusOr<std::string> text =
      ReadWholeFile(directory, kRecoveryPointName, kStoreFileSizeMax);
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<PartitionOffset>> entries =
      ParseOffsetCheckpoint(*text);
  if (!entries.ok()) return entries.status();
  StoreCheckpoint checkpoint;
  for (const PartitionOffset& entry : *entries) {
    checkpoint[{entry.topic, entry.partition}] = {
        .recovery_point = entry.offset, .origin = CheckpointOrigin::kStandIn};
  }
  return checkpoint;
}

}  // namespace

absl::StatusOr<DirectoryContents> FindContents(Directory& directory) {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = directory.List();
  if (!entries.ok()) return entries.status();
  const auto has = [&](std::string_view name) {
    return absl::c_any_of(*entries, [name](const DirectoryEntry& entry) {
      return entry.name == name;
    });
  };
  if (has("meta.properties")) {
    return absl::FailedPreconditionError(absl::StrCat(
        directory.path(),
        ": holds meta.properties, so it is a Kafka broker's data directory; "
        "varve reads those, and does not write into them: import its topics "
        "into a store, or choose another directory"));
  }
  if (has(kRestoreName)) return DirectoryContents::kUnfinishedRestore;
  if (has(kTopicsName)) {
    return has(kBackupName) ? DirectoryContents::kBackup
                            : DirectoryContents::kStore;
  }
  if (has(kBackupName)) return DirectoryContents::kUnfinishedBackup;
  for (const DirectoryEntry& entry : *entries) {
    if (IsOfCreation(entry.name)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        directory.path(), ": holds \"", entry.name, "\" and no ", kTopicsName,
        ", so it is not varve's: choose an empty directory, or one below it"));
  }
  return DirectoryContents::kEmpty;
}

absl::StatusOr<DirectoryContents> InspectDirectory(Directory& directory) {
  absl::StatusOr<DirectoryContents> contents = FindContents(directory);
  if (!contents.ok()) return contents;
  const bool is_restore = *contents == DirectoryContents::kUnfinishedRestore;
  if (!is_restore && *contents != DirectoryContents::kUnfinishedBackup)
    return contents;
  return absl::FailedPreconditionError(absl::StrCat(
      directory.path(), is_restore ? ": a restore into it" : ": a backup",
      " was not finished, so it is no store: repeat the ",
      is_restore ? "restore" : "backup", ", or remove the directory"));
}

absl::Status BackupIsReadOnly(const Directory& directory) {
  return absl::FailedPreconditionError(
      absl::StrCat(directory.path(),
                   ": a backup, which is only read: restore it to another "
                   "directory, or delete ",
                   kBackupName, " to make it a store of its own"));
}

absl::StatusOr<TopicCatalog> ReadTopicCatalog(Directory& directory) {
  absl::StatusOr<std::string> text =
      ReadWholeFile(directory, kTopicsName, kStoreFileSizeMax);
  if (!text.ok()) return text.status();
  absl::StatusOr<TopicCatalog> catalog = TopicCatalog::FromText(*text);
  if (!catalog.ok()) return WithPath(directory, kTopicsName, catalog.status());
  return catalog;
}

absl::Status WriteTopicCatalog(Directory& directory,
                               const TopicCatalog& catalog) {
  return ReplaceFile(directory, kTopicsName, catalog.ToText());
}

absl::StatusOr<FoundCheckpoint> ReadStoreCheckpoint(
    Directory& directory, std::vector<std::string>& notes) {
  absl::StatusOr<std::string> text =
      ReadWholeFile(directory, kCheckpointName, kStoreFileSizeMax);
  absl::Status status = text.status();
  if (text.ok()) {
    absl::StatusOr<StoreCheckpoint> checkpoint = ParseStoreCheckpoint(*text);
    if (checkpoint.ok())
      return FoundCheckpoint{.partitions = *std::move(checkpoint)};
    status = WithPath(directory, kCheckpointName, checkpoint.status());
  }
  if (!absl::IsNotFound(status) && !absl::IsDataLoss(status)) return status;
  absl::StatusOr<StoreCheckpoint> copy = ReadKafkaRecoveryPoints(directory);
  const bool usable = copy.ok();
  FoundCheckpoint found = {.origin = CheckpointOrigin::kStandIn};
  // A store that never had a topic has neither file.
  if (absl::IsNotFound(status) && absl::IsNotFound(copy.status())) return found;
  notes.push_back(absl::StrCat(
      status.message(), "; ",
      usable ? "its copy " : "without recovery points, as its copy ",
      kRecoveryPointName, usable ? " was used" : " is not readable either"));
  if (usable) found.partitions = *std::move(copy);
  return found;
}

absl::Status WriteStoreCheckpoint(Directory& directory,
                                  const StoreCheckpoint& checkpoint) {
  return ReplaceFile(directory, kCheckpointName,
                     FormatStoreCheckpoint(checkpoint));
}

absl::Status WriteKafkaCheckpoints(Directory& directory,
                                   const StoreCheckpoint& checkpoint) {
  std::vector<PartitionOffset> recovery_points;
  std::vector<PartitionOffset> log_starts;
  std::vector<PartitionOffset> first_dirty;
  for (const auto& [key, entry] : checkpoint) {
    recovery_points.push_back({.topic = key.first,
                               .partition = key.second,
                               .offset = entry.recovery_point});
    if (entry.log_start > 0) {
      log_starts.push_back({.topic = key.first,
                            .partition = key.second,
                            .offset = entry.log_start});
    }
    if (entry.first_dirty.has_value()) {
      first_dirty.push_back({.topic = key.first,
                             .partition = key.second,
                             .offset = *entry.first_dirty});
    }
  }
  absl::Status status = ReplaceFile(directory, kRecoveryPointName,
                                    FormatOffsetCheckpoint(recovery_points));
  if (!status.ok()) return status;
  status =
      ReplaceFile(directory, kLogStartName, FormatOffsetCheckpoint(log_starts));
  if (!status.ok()) return status;
  if (first_dirty.empty()) return directory.RemoveFileIfThere(kCleanerName);
  return ReplaceFile(directory, kCleanerName,
                     FormatOffsetCheckpoint(first_dirty));
}

absl::StatusOr<bool> HasCleanShutdownMarker(Directory& directory) {
  auto file = directory.OpenFile(kCleanShutdownName, OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return false;
  if (!file.ok()) return file.status();
  return true;
}

absl::Status WriteCleanShutdownMarker(Directory& directory) {
  return ReplaceFile(directory, kCleanShutdownName, kCleanShutdownText);
}

absl::Status RemoveCleanShutdownMarker(Directory& directory) {
  absl::Status status = directory.RemoveFileIfThere(kCleanShutdownName);
  // When there is none, an earlier try may have removed it and failed to sync.
  return status.ok() ? directory.Sync() : status;
}

}  // namespace varve
