// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only_store.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/open_partitions.h"
#include "varve/api/read_only/store_files_cache.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/topic_description.h"
#include "varve/log/read_only/open_readers.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::Status NoStore(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": there is no store"));
}

TopicDescription Describe(const Topic& topic) {
  return {.name = topic.name, .id = topic.id, .config = topic.config};
}

}  // namespace

ReadOnlyStore::ReadOnlyStore(std::shared_ptr<StoreFilesCache> outline,
                             const ReadOnlyOptions& options)
    : outline_(std::move(outline)),
      options_(options),
      open_readers_(std::make_shared<OpenReaders>(
          static_cast<size_t>(OpenPartitionsOfProcess()))) {}

ReadOnlyStore::~ReadOnlyStore() = default;

absl::StatusOr<std::unique_ptr<ReadOnlyStore>> ReadOnlyStore::Open(
    const std::string& path, const ReadOnlyOptions& options) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      options.environment.files->OpenDirectory(path);
  if (absl::IsNotFound(directory.status())) return NoStore(path);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<DirectoryContents> contents = InspectDirectory(**directory);
  if (!contents.ok()) return contents.status();
  if (*contents == DirectoryContents::kEmpty) return NoStore(path);
  auto outline = std::make_shared<StoreFilesCache>(*std::move(directory),
                                                   options.environment.clock);
  absl::StatusOr<TopicCatalog> catalog = outline->ReadTopics();
  if (!catalog.ok()) return catalog.status();
  return std::unique_ptr<ReadOnlyStore>(
      new ReadOnlyStore(std::move(outline), options));
}

absl::StatusOr<std::vector<TopicDescription>> ReadOnlyStore::ListTopics()
    const {
  absl::StatusOr<TopicCatalog> catalog = outline_->ReadTopics();
  if (!catalog.ok()) return catalog.status();
  std::vector<TopicDescription> descriptions;
  for (const Topic& topic : catalog->topics()) {
    descriptions.push_back(Describe(topic));
  }
  return descriptions;
}

absl::StatusOr<TopicDescription> ReadOnlyStore::DescribeTopic(
    std::string_view name) const {
  absl::StatusOr<TopicCatalog> catalog = outline_->ReadTopics();
  if (!catalog.ok()) return catalog.status();
  absl::StatusOr<const Topic*> topic = catalog->Get(name);
  if (!topic.ok()) return topic.status();
  return Describe(**topic);
}

absl::StatusOr<ReadOnlyPartition> ReadOnlyStore::partition(
    std::string_view topic, int32_t partition) const {
  absl::StatusOr<ReadOnlyPartition> opened = TryPartition(topic, partition);
  // The topic may be deleted, and made again, while it is opened.
  const bool may_have_changed =
      absl::IsDataLoss(opened.status()) || absl::IsNotFound(opened.status());
  return may_have_changed ? TryPartition(topic, partition) : opened;
}

absl::StatusOr<ReadOnlyPartition> ReadOnlyStore::TryPartition(
    std::string_view topic, int32_t partition) const {
  absl::StatusOr<TopicCatalog> catalog = outline_->ReadTopics();
  if (!catalog.ok()) return catalog.status();
  absl::StatusOr<const Topic*> known = catalog->Get(topic);
  if (!known.ok()) return known.status();
  if (partition < 0 || partition >= (*known)->config.partitions) {
    return absl::OutOfRangeError(
        absl::StrCat("topic \"", topic, "\" has no partition ", partition,
                     "; it has 0 to ", (*known)->config.partitions - 1));
  }
  auto open = [outline = outline_, known = **known, partition] {
    return outline->OpenPartition(known, partition);
  };
  absl::StatusOr<std::unique_ptr<Directory>> directory = open();
  if (!directory.ok()) return directory.status();
  ReadOnlyLog::Options options = {
      .outline =
          [outline = outline_, known = **known, partition](FactsAge age) {
            return outline->FactsOf(known, partition, age);
          },
      .reopen = std::move(open),
      .clock = options_.environment.clock,
      .sealed = options_.sealed};
  return ReadOnlyPartition(
      std::string(topic), partition,
      std::make_shared<ReadOnlyPartitionReader>(
          *std::move(directory), std::move(options), open_readers_));
}

const std::string& ReadOnlyStore::path() const {
  return outline_->directory().path();
}

}  // namespace varve
