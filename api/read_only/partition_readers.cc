// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only/partition_readers.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/open_partitions.h"
#include "varve/api/read_only/store_files_cache.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/read_only/open_readers.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::Status NotThere(const Topic& topic, int32_t partition) {
  const std::string there = topic.hosted.ToString(topic.config.partitions);
  if (!topic.hosted.is_of_broker()) {
    return absl::OutOfRangeError(absl::StrCat("topic \"", topic.name,
                                              "\" has no partition ", partition,
                                              "; it has ", there));
  }
  return absl::OutOfRangeError(absl::StrCat(
      "this broker's directory has no partition ", partition, " of topic \"",
      topic.name, "\"; it has ", there,
      ": if there is one, look in those of the brokers that host it"));
}

}  // namespace

PartitionReaders::PartitionReaders(std::shared_ptr<StoreFilesCache> files,
                                   Clock* clock, SealedAccess sealed,
                                   const Codecs* codecs)
    : files_(std::move(files)),
      clock_(clock),
      sealed_(sealed),
      decompressor_(codecs),
      open_readers_(std::make_shared<OpenReaders>(
          static_cast<size_t>(OpenPartitionsOfProcess()))) {}

absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> PartitionReaders::Open(
    std::string_view topic, int32_t partition) const {
  absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> opened =
      TryOpen(topic, partition);
  // The topic may be deleted, and made again, while it is opened.
  const bool may_have_changed =
      absl::IsDataLoss(opened.status()) || absl::IsNotFound(opened.status());
  return may_have_changed ? TryOpen(topic, partition) : opened;
}

absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>>
PartitionReaders::TryOpen(std::string_view topic, int32_t partition) const {
  absl::StatusOr<TopicCatalog> catalog = files_->ReadTopics();
  if (!catalog.ok()) return catalog.status();
  absl::StatusOr<const Topic*> known = catalog->Get(topic);
  if (!known.ok()) return known.status();
  return OpenOf(**known, partition);
}

absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>>
PartitionReaders::OpenOf(const Topic& topic, int32_t partition) const {
  if (!topic.Has(partition)) return NotThere(topic, partition);
  auto open = [files = files_, topic, partition] {
    return files->OpenPartition(topic, partition);
  };
  absl::StatusOr<std::unique_ptr<Directory>> directory = open();
  if (!directory.ok()) return directory.status();
  ReadOnlyLog::Options options = {
      .outline =
          [files = files_, topic, partition](FactsAge age) {
            return files->FactsOf(topic, partition, age);
          },
      .reopen = std::move(open),
      .clock = clock_,
      .sealed = sealed_};
  return std::make_shared<ReadOnlyPartitionReader>(
      *std::move(directory), std::move(options), open_readers_, decompressor_);
}

}  // namespace varve
