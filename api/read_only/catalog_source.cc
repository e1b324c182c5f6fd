// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only/catalog_source.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/catalog/broker_catalog.h"
#include "varve/api/catalog/readable_directory.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/partition_identity.h"
#include "varve/log/broker/broker_partition.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

class StoreSource final : public CatalogSource {
 public:
  absl::StatusOr<TopicCatalog> ReadTopics(Directory& data) const override {
    return ReadTopicCatalog(data);
  }

  absl::StatusOr<FoundCheckpoint> ReadCheckpoint(
      Directory& data, std::vector<std::string>& notes) const override {
    return ReadStoreCheckpoint(data, notes);
  }

  absl::StatusOr<std::unique_ptr<Directory>> OpenPartition(
      Directory& data, const TopicCatalog& catalog, const Topic& topic,
      int32_t partition, std::string& note) const override {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        OpenPartitionDirectory(data, catalog, topic, partition, note);
    if (!directory.ok() || topic.continuity() == Continuity::kExact)
      return directory;
    // Its writer may be replacing segments, or have died while it did.
    return std::make_unique<BrokerPartition>(*std::move(directory),
                                             BrokerPartition::Owner::kStore);
  }

  absl::Duration age_max() const override { return absl::Milliseconds(200); }
};

class BrokerSource final : public CatalogSource {
 public:
  // Whoever wants to know what is left out verifies the directory.
  absl::StatusOr<TopicCatalog> ReadTopics(Directory& data) const override {
    std::vector<std::string> notes;
    return ReadBrokerTopics(data, notes);
  }

  absl::StatusOr<FoundCheckpoint> ReadCheckpoint(
      Directory& data, std::vector<std::string>& notes) const override {
    return ReadBrokerCheckpoint(data, notes);
  }

  absl::StatusOr<std::unique_ptr<Directory>> OpenPartition(
      Directory& data, const TopicCatalog& catalog, const Topic& topic,
      int32_t partition, std::string& note) const override {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        OpenPartitionDirectory(data, catalog, topic, partition, note);
    if (!directory.ok()) return directory;
    // The topic's id may be one that no file says.
    note.clear();
    return std::make_unique<BrokerPartition>(*std::move(directory));
  }

  // A broker writes its checkpoints once a minute, and its topics, each of
  // which is a file to read, change seldom.
  absl::Duration age_max() const override { return absl::Seconds(2); }
};

}  // namespace

const CatalogSource& CatalogSource::Of(ReadableContents contents) {
  static const StoreSource* const store = new StoreSource();
  static const BrokerSource* const broker = new BrokerSource();
  if (contents == ReadableContents::kBroker) return *broker;
  return *store;
}

}  // namespace varve
