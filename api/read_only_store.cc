// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only_store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/readable_directory.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/read_only/partition_readers.h"
#include "varve/api/read_only/read_only_groups.h"
#include "varve/api/read_only/store_files_cache.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::Status NoStore(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": there is no store"));
}

TopicDescription Describe(const Topic& topic) {
  return {.name = topic.name,
          .id = topic.id,
          .config = topic.config,
          .hosted = topic.hosted};
}

}  // namespace

ReadOnlyStore::ReadOnlyStore(std::shared_ptr<StoreFilesCache> files,
                             const ReadOnlyOptions& options)
    : readers_(std::make_unique<const PartitionReaders>(
          std::move(files), options.environment.clock, options.sealed,
          options.codecs)),
      groups_(std::make_unique<ReadOnlyGroups>(readers_.get(),
                                               options.environment)) {}

ReadOnlyStore::~ReadOnlyStore() = default;

absl::StatusOr<std::unique_ptr<ReadOnlyStore>> ReadOnlyStore::Open(
    const std::string& path, const ReadOnlyOptions& options) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      options.environment.files->OpenDirectory(path);
  if (absl::IsNotFound(directory.status())) return NoStore(path);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<ReadableContents> contents = InspectForReading(**directory);
  if (!contents.ok()) return contents.status();
  if (*contents == ReadableContents::kNothing) return NoStore(path);
  auto files = std::make_shared<StoreFilesCache>(
      *std::move(directory), options.environment.clock, *contents);
  absl::StatusOr<TopicCatalog> catalog = files->ReadTopics();
  if (!catalog.ok()) return catalog.status();
  ReadOnlyOptions chosen = options;
  // A broker cuts a log that another one leads now, sealed segments included.
  if (*contents == ReadableContents::kBroker)
    chosen.sealed = SealedAccess::kRead;
  return std::unique_ptr<ReadOnlyStore>(
      new ReadOnlyStore(std::move(files), chosen));
}

absl::StatusOr<std::vector<TopicDescription>> ReadOnlyStore::ListTopics()
    const {
  absl::StatusOr<TopicCatalog> catalog = readers_->files().ReadTopics();
  if (!catalog.ok()) return catalog.status();
  std::vector<TopicDescription> descriptions;
  for (const Topic& topic : catalog->topics()) {
    descriptions.push_back(Describe(topic));
  }
  return descriptions;
}

absl::StatusOr<TopicDescription> ReadOnlyStore::DescribeTopic(
    std::string_view name) const {
  absl::StatusOr<TopicCatalog> catalog = readers_->files().ReadTopics();
  if (!catalog.ok()) return catalog.status();
  absl::StatusOr<const Topic*> topic = catalog->Get(name);
  if (!topic.ok()) return topic.status();
  return Describe(**topic);
}

absl::StatusOr<ReadOnlyPartition> ReadOnlyStore::partition(
    std::string_view topic, int32_t partition) const {
  absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> reader =
      readers_->Open(topic, partition);
  if (!reader.ok()) return reader.status();
  return ReadOnlyPartition(std::string(topic), partition, *std::move(reader));
}

absl::StatusOr<OffsetAndMetadata> ReadOnlyStore::CommittedOffset(
    std::string_view group, std::string_view topic, int32_t partition) const {
  return groups_->Find(group, topic, partition);
}

absl::StatusOr<std::vector<std::string>> ReadOnlyStore::ListGroups() const {
  return groups_->List();
}

absl::StatusOr<std::vector<GroupOffset>> ReadOnlyStore::DescribeGroup(
    std::string_view group) const {
  return groups_->Describe(group);
}

absl::StatusOr<std::map<std::string, std::vector<GroupOffset>>>
ReadOnlyStore::DescribeGroups() const {
  return groups_->DescribeAll();
}

const std::string& ReadOnlyStore::path() const {
  return readers_->files().directory().path();
}

}  // namespace varve
