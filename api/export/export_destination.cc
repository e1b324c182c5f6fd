// SPDX-License-Identifier: Apache-2.0

#include "varve/api/export/export_destination.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "varve/api/catalog/broker_catalog.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/catalog/writer_directory.h"
#include "varve/api/export/export_report.h"
#include "varve/api/export/root_checkpoints.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/hosted_partitions.h"
#include "varve/log/metadata/lock_conflict.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr std::string_view kStorePrefix = "varve.";

std::string StagedName(const Topic& topic, int32_t partition) {
  return DeletedDirectoryName(topic.name, partition, topic.id.high(),
                              topic.id.low());
}

// Where the broker's own directory of the partition is while the other one gets
// its name.
std::string AsideName(const Topic& topic, int32_t partition) {
  return DeletedDirectoryName(topic.name, partition, ~topic.id.high(),
                              ~topic.id.low());
}

// Whether an export may have left the entry in a directory that is no broker's.
bool IsOfExport(const DirectoryEntry& entry) {
  if (entry.kind == EntryKind::kDirectory) {
    return ParsePartitionDirectoryName(entry.name).has_value() ||
           IsDeletedDirectoryName(entry.name);
  }
  return entry.name == kLockName ||
         absl::StripSuffix(entry.name, kTemporarySuffix) == kLogStartName;
}

absl::StatusOr<ExportKind> KindOf(Directory& directory) {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries = directory.List();
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    if (absl::StartsWith(entry.name, kStorePrefix)) {
      return absl::FailedPreconditionError(absl::StrCat(
          directory.path(),
          ": is a store of varve's, and topics are exported to a broker's "
          "directory, or to one of their own: choose another one"));
    }
  }
  for (const DirectoryEntry& entry : *entries) {
    if (entry.name == kMetaPropertiesName) return ExportKind::kBroker;
  }
  for (const DirectoryEntry& entry : *entries) {
    if (IsOfExport(entry)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        directory.path(), ": has \"", entry.name,
        "\" in it, and is neither a broker's log directory (it has no ",
        kMetaPropertiesName, ") nor an export's: choose an empty one"));
  }
  return ExportKind::kPlain;
}

absl::Status NotThere(const Directory& directory, const Topic& topic) {
  return absl::NotFoundError(absl::StrCat(
      directory.path(), ": the broker has no topic \"", topic.name,
      "\" here: start it, create the topic with ", topic.config.partitions,
      topic.config.partitions == 1 ? " partition" : " partitions",
      " and its configs (kafka-topics.sh --create), and stop it again"));
}

absl::StatusOr<TopicId> ReadId(Directory& partition) {
  const absl::StatusOr<std::string> text = ReadWholeFile(
      partition, kPartitionMetadataName, kPartitionMetadataSizeMax);
  const absl::StatusOr<TopicId> id =
      text.ok() ? ParsePartitionMetadata(*text)
                : absl::StatusOr<TopicId>(text.status());
  if (!absl::IsNotFound(id.status()) && !absl::IsDataLoss(id.status()))
    return id;
  return absl::DataLossError(
      absl::StrCat(partition.PathOf(kPartitionMetadataName),
                   ": the topic's id cannot be read: ", id.status().message()));
}

// Whatever else is in it would be lost when it is replaced.
absl::Status CheckEntries(Directory& partition) {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries = partition.List();
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind == EntryKind::kFile && IsPartitionFileName(entry.name))
      continue;
    return absl::FailedPreconditionError(absl::StrCat(
        partition.PathOf(entry.name),
        ": is no file of a partition, and the directory is to be replaced: "
        "move it"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Directory>> OpenIfThere(
    Directory& data, const std::string& name) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      data.OpenDirectory(name);
  if (absl::IsNotFound(directory.status())) return nullptr;
  return directory;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExportDestination>> ExportDestination::Begin(
    const std::string& path, FileSystem& files) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      OpenOrMakeDirectory(path, files);
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<ExportKind> kind = KindOf(**directory);
  if (!kind.ok()) return kind.status();
  std::unique_ptr<ExportDestination> destination(
      new ExportDestination(*std::move(directory), *kind));
  absl::Status status = destination->Lock();
  if (status.ok()) status = CheckRootCheckpoints(destination->directory());
  if (status.ok()) status = SyncParent(path, files);
  if (!status.ok()) return status;
  return destination;
}

absl::Status ExportDestination::Lock() {
  const absl::Status there =
      directory_->OpenFile(kLockName, OpenMode::kRead).status();
  absl::StatusOr<std::unique_ptr<File>> lock = LockDirectory(*directory_);
  if (IsLockConflict(lock.status())) {
    return LockConflictError(absl::StrCat(
        directory_->path(), kind_ == ExportKind::kBroker
                                ? ": a broker has it open, or another export "
                                  "writes to it: stop that first"
                                : ": another export writes to it"));
  }
  if (!lock.ok()) return lock.status();
  lock_ = *std::move(lock);
  made_lock_ = absl::IsNotFound(there);
  return absl::OkStatus();
}

ExportDestination::~ExportDestination() {
  // Without it a broker starts as well: what fails here costs nothing.
  if (made_lock_ && kind_ == ExportKind::kBroker)
    directory_->RemoveFileIfThere(kLockName).IgnoreError();
}

absl::StatusOr<std::optional<TopicId>> ExportDestination::Prepare(
    const Topic& topic) {
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    absl::Status status = PutBack(topic, i);
    if (!status.ok()) return status;
  }
  if (kind_ == ExportKind::kPlain) return std::optional<TopicId>();
  return ReadIdOfBroker(topic);
}

// If the partition has no directory, the one that was put aside is still to be
// replaced; else that is done, but for its removal.
absl::Status ExportDestination::PutBack(const Topic& topic, int32_t partition) {
  const std::string aside = AsideName(topic, partition);
  const std::string name = PartitionDirectoryName(topic.name, partition);
  const absl::StatusOr<std::unique_ptr<Directory>> old =
      OpenIfThere(*directory_, aside);
  if (!old.ok()) return old.status();
  if (*old == nullptr) return absl::OkStatus();
  const absl::StatusOr<std::unique_ptr<Directory>> now =
      OpenIfThere(*directory_, name);
  if (!now.ok()) return now.status();
  if (*now != nullptr) return RemoveAside(aside);
  absl::Status status = directory_->Rename(aside, name);
  return status.ok() ? directory_->Sync() : status;
}

absl::StatusOr<TopicId> ExportDestination::ReadIdOfBroker(const Topic& topic) {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries =
      directory_->List();
  if (!entries.ok()) return entries.status();
  std::vector<int32_t> numbers;
  std::optional<TopicId> id;
  for (const DirectoryEntry& entry : *entries) {
    const std::optional<TopicPartition> partition =
        ParsePartitionDirectoryName(entry.name);
    if (!partition.has_value() || partition->topic != topic.name) continue;
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        directory_->OpenDirectory(entry.name);
    if (!directory.ok()) return directory.status();
    const absl::StatusOr<TopicId> one = ReadId(**directory);
    if (!one.ok()) return one.status();
    if (id.has_value() && *id != *one) {
      return absl::DataLossError(absl::StrCat(
          (*directory)->path(), ": is of another topic than partition ",
          numbers.front(), ", which has the same name"));
    }
    id = *one;
    numbers.push_back(partition->partition);
  }
  if (numbers.empty()) return NotThere(*directory_, topic);
  absl::c_sort(numbers);
  const int32_t count = topic.config.partitions;
  if (std::ssize(numbers) == count && numbers.back() == count - 1) return *id;
  const std::string there =
      numbers.size() == 1
          ? absl::StrCat("partition ", numbers.front())
          : absl::StrCat("partitions ",
                         HostedPartitions::OfBroker(numbers).ToString(
                             numbers.back() + 1));
  return absl::FailedPreconditionError(absl::StrCat(
      directory_->path(), ": has ", there, " of topic \"", topic.name,
      "\", and the store has ", count,
      ": a topic is exported whole, to one directory of one broker; create it "
      "there with as many partitions, and one replica"));
}

absl::StatusOr<std::unique_ptr<Directory>> ExportDestination::OpenFilled(
    const Topic& topic, int32_t partition) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      OpenIfThere(*directory_, PartitionDirectoryName(topic.name, partition));
  if (!directory.ok() || *directory == nullptr) return directory;
  absl::Status status = CheckEntries(**directory);
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(**directory);
  if (!bases.ok()) return bases.status();
  for (const int64_t base_offset : *bases) {
    absl::StatusOr<std::unique_ptr<File>> log =
        (*directory)
            ->OpenFile(SegmentFileName(base_offset, SegmentFileKind::kLog),
                       OpenMode::kRead);
    if (!log.ok()) return log.status();
    const absl::StatusOr<int64_t> size = (*log)->Size();
    if (!size.ok()) return size.status();
    // A log that has lost all of its records begins later.
    if (*size > 0 || base_offset > 0) return directory;
  }
  return nullptr;
}

bool ExportDestination::Has(const Topic& topic, int32_t partition) {
  return directory_
      ->OpenDirectory(PartitionDirectoryName(topic.name, partition))
      .ok();
}

absl::StatusOr<std::unique_ptr<Directory>> ExportDestination::OpenStaged(
    const Topic& topic, int32_t partition) {
  return OpenIfThere(*directory_, StagedName(topic, partition));
}

absl::StatusOr<std::unique_ptr<Directory>> ExportDestination::MakeStaged(
    const Topic& topic, int32_t partition) {
  const std::string name = StagedName(topic, partition);
  absl::Status made = directory_->CreateDirectory(name);
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  return directory_->OpenDirectory(name);
}

// A log start is true before its records are there; what was the start of
// others must not be when they are.
absl::Status ExportDestination::Publish(
    const Topic& topic, absl::Span<const ExportedStart> partitions) {
  absl::Status status =
      UpdateRootCheckpoints(*directory_, topic.name, partitions);
  if (status.ok()) status = RemoveCleanShutdownMarker(*directory_);
  if (status.ok()) status = directory_->Sync();
  for (const ExportedStart& partition : partitions) {
    if (!status.ok()) return status;
    status = RenameStaged(topic, partition.partition);
  }
  if (status.ok()) status = directory_->Sync();
  for (const ExportedStart& partition : partitions) {
    if (!status.ok()) return status;
    status = RemoveAside(AsideName(topic, partition.partition));
  }
  return status.ok() ? directory_->Sync() : status;
}

absl::Status ExportDestination::RenameStaged(const Topic& topic,
                                             int32_t partition) {
  const std::string name = PartitionDirectoryName(topic.name, partition);
  absl::Status status = directory_->Rename(name, AsideName(topic, partition));
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  return directory_->Rename(StagedName(topic, partition), name);
}

absl::Status ExportDestination::RemoveAside(const std::string& name) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      OpenIfThere(*directory_, name);
  if (!directory.ok()) return directory.status();
  if (*directory == nullptr) return absl::OkStatus();
  const absl::StatusOr<std::vector<DirectoryEntry>> entries =
      (*directory)->List();
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    absl::Status status = (*directory)->RemoveFileIfThere(entry.name);
    if (!status.ok()) return status;
  }
  return directory_->RemoveDirectory(name);
}

}  // namespace varve
