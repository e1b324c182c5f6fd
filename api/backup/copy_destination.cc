// SPDX-License-Identifier: Apache-2.0

#include "varve/api/backup/copy_destination.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/catalog/writer_directory.h"
#include "varve/api/store_copy.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::Status Refuse(absl::StatusCode code, const Directory& directory,
                    std::string_view what) {
  return absl::Status(code, absl::StrCat(directory.path(), ": ", what));
}

absl::Status CheckBackup(const Directory& directory, DirectoryContents contents,
                         ExistingCopy existing) {
  switch (contents) {
    case DirectoryContents::kEmpty:
    case DirectoryContents::kUnfinishedBackup:
      return absl::OkStatus();
    case DirectoryContents::kBackup:
      if (existing == ExistingCopy::kReplace) return absl::OkStatus();
      return Refuse(absl::StatusCode::kAlreadyExists, directory,
                    "holds a backup already; choose another directory, or "
                    "replace it");
    case DirectoryContents::kStore:
    case DirectoryContents::kUnfinishedRestore:
      break;
  }
  return Refuse(absl::StatusCode::kFailedPrecondition, directory,
                "is a store and no backup, so no backup is written into it: "
                "choose another directory");
}

absl::Status CheckRestore(const Directory& directory,
                          DirectoryContents contents, ExistingCopy existing) {
  switch (contents) {
    case DirectoryContents::kEmpty:
    case DirectoryContents::kUnfinishedRestore:
      return absl::OkStatus();
    case DirectoryContents::kStore:
      if (existing == ExistingCopy::kReplace) return absl::OkStatus();
      return Refuse(absl::StatusCode::kAlreadyExists, directory,
                    "holds a store already; choose another directory, or "
                    "replace it");
    case DirectoryContents::kBackup:
    case DirectoryContents::kUnfinishedBackup:
      break;
  }
  return Refuse(absl::StatusCode::kFailedPrecondition, directory,
                "is a backup, so no store is restored into it: choose another "
                "directory");
}

absl::Status Check(Directory& directory, CopyKind kind, ExistingCopy existing) {
  const absl::StatusOr<DirectoryContents> contents = FindContents(directory);
  if (!contents.ok()) return contents.status();
  return kind == CopyKind::kBackup
             ? CheckBackup(directory, *contents, existing)
             : CheckRestore(directory, *contents, existing);
}

// Its existence counts alone, so no crash can leave half of it.
absl::Status MakeFile(Directory& directory, std::string_view name) {
  return directory.OpenFile(name, OpenMode::kCreate).status();
}

// The entries of a partition's directory. One that is only named like it, such
// as a backup "backup-2024", is not taken for it.
absl::StatusOr<std::vector<DirectoryEntry>> ListPartition(
    Directory& partition) {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = partition.List();
  if (!entries.ok()) return entries;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind == EntryKind::kFile && IsPartitionFileName(entry.name))
      continue;
    return absl::FailedPreconditionError(
        absl::StrCat(partition.PathOf(entry.name),
                     ": is no file of a partition, and what is in a directory "
                     "of such a name would be replaced: move it"));
  }
  return entries;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CopyDestination>> CopyDestination::Begin(
    const std::string& path, CopyKind kind, ExistingCopy existing,
    FileSystem& files) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      OpenOrMakeDirectory(path, files);
  if (!directory.ok()) return directory.status();
  // It is looked at before the lock, so that none is made in another program's
  // directory, and again when nobody else can change it.
  absl::Status status = Check(**directory, kind, existing);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<File>> lock = LockDirectory(**directory);
  if (!lock.ok()) return lock.status();
  status = Check(**directory, kind, existing);
  if (status.ok()) status = SyncParent(path, files);
  if (!status.ok()) return status;
  std::unique_ptr<CopyDestination> destination(
      new CopyDestination(*std::move(directory), *std::move(lock), kind));
  status = destination->CheckPartitions();
  if (status.ok()) status = destination->MarkUnfinished();
  if (!status.ok()) return status;
  return destination;
}

absl::Status CopyDestination::MarkUnfinished() {
  absl::Status status = MakeFile(
      *directory_, kind_ == CopyKind::kBackup ? kBackupName : kRestoreName);
  if (status.ok()) status = directory_->Sync();
  if (status.ok()) status = directory_->RemoveFileIfThere(kTopicsName);
  if (status.ok()) status = directory_->RemoveFileIfThere(kCleanShutdownName);
  return status.ok() ? directory_->Sync() : status;
}

absl::StatusOr<std::unique_ptr<Directory>> CopyDestination::OpenPartition(
    const std::string& name) {
  absl::Status made = directory_->CreateDirectory(name);
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  return directory_->OpenDirectory(name);
}

absl::StatusOr<std::vector<std::string>> CopyDestination::PartitionNames() {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries =
      directory_->List();
  if (!entries.ok()) return entries.status();
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::kDirectory) continue;
    if (ParsePartitionDirectoryName(entry.name).has_value() ||
        IsDeletedDirectoryName(entry.name)) {
      names.push_back(entry.name);
    }
  }
  return names;
}

absl::Status CopyDestination::CheckPartitions() {
  const absl::StatusOr<std::vector<std::string>> names = PartitionNames();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    absl::StatusOr<std::unique_ptr<Directory>> partition =
        directory_->OpenDirectory(name);
    if (!partition.ok()) return partition.status();
    absl::Status status = ListPartition(**partition).status();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CopyDestination::RemovePartitionsBut(
    const std::set<std::string>& names) {
  const absl::StatusOr<std::vector<std::string>> present = PartitionNames();
  if (!present.ok()) return present.status();
  for (const std::string& name : *present) {
    if (names.contains(name)) continue;
    absl::Status status = RemovePartition(name);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CopyDestination::RemovePartition(const std::string& name) {
  absl::StatusOr<std::unique_ptr<Directory>> partition =
      directory_->OpenDirectory(name);
  if (!partition.ok()) return partition.status();
  const absl::StatusOr<std::vector<DirectoryEntry>> entries =
      ListPartition(**partition);
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    absl::Status status = (*partition)->RemoveFile(entry.name);
    if (!status.ok()) return status;
  }
  return directory_->RemoveDirectory(name);
}

absl::Status CopyDestination::Finish(const TopicCatalog& catalog,
                                     const StoreCheckpoint& checkpoint,
                                     FirstOpen first_open) {
  // Each of these syncs the directory, so those before it are durable first.
  absl::Status status = WriteStoreCheckpoint(*directory_, checkpoint);
  if (status.ok()) status = WriteKafkaCheckpoints(*directory_, checkpoint);
  if (status.ok() && first_open == FirstOpen::kTrusting)
    status = WriteCleanShutdownMarker(*directory_);
  if (status.ok()) status = WriteTopicCatalog(*directory_, catalog);
  if (!status.ok() || kind_ == CopyKind::kBackup) return status;
  status = directory_->RemoveFile(kRestoreName);
  return status.ok() ? directory_->Sync() : status;
}

}  // namespace varve
