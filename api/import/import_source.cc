// SPDX-License-Identifier: Apache-2.0

#include "varve/api/import/import_source.h"

#include <algorithm>
#include <cstddef>
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
#include "absl/strings/str_join.h"
#include "varve/api/catalog/broker_catalog.h"
#include "varve/api/catalog/readable_directory.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/catalog/topic_choice.h"
#include "varve/log/broker/broker_partition.h"
#include "varve/log/metadata/checkpoint_text.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/lock_conflict.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr int64_t kCheckpointSizeMax = int64_t{64} << 20;

// Topics named in one message, at most.
constexpr size_t kNamesInMessage = 8;

absl::Status CheckBroker(Directory& directory) {
  const absl::StatusOr<ReadableContents> contents =
      InspectForReading(directory);
  if (!contents.ok()) return contents.status();
  switch (*contents) {
    case ReadableContents::kBroker:
      return absl::OkStatus();
    case ReadableContents::kStore:
      return absl::FailedPreconditionError(absl::StrCat(
          directory.path(),
          ": is a store of varve's and no broker's directory: back it up and "
          "restore it, to copy it"));
    case ReadableContents::kNothing:
      break;
  }
  return absl::NotFoundError(
      absl::StrCat(directory.path(), ": there is no broker's log in it"));
}

bool HasAllPartitions(const Topic& topic) {
  return std::ssize(topic.PartitionNumbers()) == topic.config.partitions;
}

absl::Status NotWhole(const Directory& directory,
                      const std::vector<Topic>& topics) {
  std::vector<std::string> lines;
  for (const Topic& topic : topics) {
    if (HasAllPartitions(topic)) continue;
    lines.push_back(
        absl::StrCat("of topic \"", topic.name, "\" ",
                     topic.hosted.ToString(topic.config.partitions)));
  }
  if (lines.empty()) return absl::OkStatus();
  const size_t more = lines.size() - std::min(lines.size(), kNamesInMessage);
  lines.resize(lines.size() - more);
  return absl::FailedPreconditionError(absl::StrCat(
      directory.path(), ": has partitions ", absl::StrJoin(lines, ", "),
      more > 0 ? absl::StrCat(" (and of ", more, " more)") : "",
      ", and others have the rest: a topic is imported whole, so name those "
      "that are, or bring the directories of a topic's partitions together"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ImportSource>> ImportSource::Open(
    const std::string& path, FileSystem& files) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      files.OpenDirectory(path);
  if (absl::IsNotFound(directory.status())) {
    return absl::NotFoundError(
        absl::StrCat(path, ": there is no broker's log"));
  }
  if (!directory.ok()) return directory.status();
  absl::Status status = CheckBroker(**directory);
  if (!status.ok()) return status;
  std::unique_ptr<ImportSource> source(new ImportSource(*std::move(directory)));
  status = source->CheckStopped();
  if (status.ok()) status = source->Read();
  if (!status.ok()) return status;
  return source;
}

absl::Status ImportSource::CheckStopped() const {
  absl::StatusOr<std::unique_ptr<File>> lock =
      directory_->OpenFile(kLockName, OpenMode::kRead);
  // A broker that is stopped removes it.
  if (absl::IsNotFound(lock.status())) return absl::OkStatus();
  if (!lock.ok()) return lock.status();
  const absl::StatusOr<bool> is_locked = (*lock)->IsLockedByOther();
  if (!is_locked.ok()) return is_locked.status();
  if (!*is_locked) return absl::OkStatus();
  return LockConflictError(absl::StrCat(
      directory_->path(),
      ": a broker has it open, and changes it: stop that, or read it in place "
      "meanwhile"));
}

absl::Status ImportSource::Read() {
  absl::StatusOr<TopicCatalog> catalog = ReadBrokerTopics(*directory_, notes_);
  if (!catalog.ok()) return catalog.status();
  catalog_ = *std::move(catalog);
  absl::StatusOr<FoundCheckpoint> checkpoint =
      ReadBrokerCheckpoint(*directory_, notes_);
  if (!checkpoint.ok()) return checkpoint.status();
  checkpoint_ = *std::move(checkpoint);
  return ReadCleaned();
}

// A file that is damaged says nothing.
absl::Status ImportSource::ReadCleaned() {
  const absl::StatusOr<std::string> text =
      ReadWholeFile(*directory_, kCleanerName, kCheckpointSizeMax);
  if (absl::IsNotFound(text.status()) || absl::IsDataLoss(text.status()))
    return absl::OkStatus();
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::vector<PartitionOffset>> entries =
      ParseOffsetCheckpoint(*text);
  if (!entries.ok()) return absl::OkStatus();
  for (const PartitionOffset& entry : *entries) cleaned_.push_back(entry.topic);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Topic>> ImportSource::Choose(
    const std::vector<std::string>& names) const {
  absl::StatusOr<std::vector<Topic>> topics = ChooseTopics(
      catalog_, names,
      "is the broker's own: committed offsets come with the topics that they "
      "are for");
  if (absl::IsNotFound(topics.status())) {
    return absl::NotFoundError(
        absl::StrCat(directory_->path(), ": ", topics.status().message()));
  }
  if (!topics.ok()) return topics.status();
  absl::Status status = NotWhole(*directory_, *topics);
  if (!status.ok()) return status;
  return topics;
}

absl::StatusOr<std::unique_ptr<Directory>> ImportSource::OpenPartition(
    const Topic& topic, int32_t partition) const {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      directory_->OpenDirectory(PartitionDirectoryName(topic.name, partition));
  if (!directory.ok()) return directory;
  return std::make_unique<BrokerPartition>(*std::move(directory));
}

PartitionCheckpoint ImportSource::CheckpointOf(const Topic& topic,
                                               int32_t partition) const {
  const auto entry = checkpoint_.partitions.find({topic.name, partition});
  return entry == checkpoint_.partitions.end()
             ? PartitionCheckpoint{.origin = checkpoint_.origin}
             : entry->second;
}

bool ImportSource::WasCleaned(const Topic& topic) const {
  return absl::c_linear_search(cleaned_, topic.name);
}

}  // namespace varve
