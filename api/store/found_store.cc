// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/found_store.h"

#include <cstddef>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/topics/topic_administration.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Drops what the checkpoint says of partitions that no topic has: they were
// deleted. Returns how many.
size_t DropUnknown(const TopicCatalog& catalog, StoreCheckpoint& checkpoint) {
  return std::erase_if(checkpoint, [&](const auto& entry) {
    const auto& [name, partition] = entry.first;
    const Topic* const topic = catalog.Find(name);
    return topic == nullptr || partition >= topic->config.partitions;
  });
}

}  // namespace

absl::StatusOr<FoundStore> FindStore(Directory& directory) {
  FoundStore found;
  absl::StatusOr<TopicCatalog> catalog = ReadTopicCatalog(directory);
  if (absl::IsNotFound(catalog.status())) {
    absl::Status status = WriteTopicCatalog(directory, TopicCatalog());
    if (!status.ok()) return status;
    // It is written before the first topic, so that one that is missing later
    // was lost.
    found.checkpoint_state = CheckpointState::kStale;
    return found;
  }
  if (!catalog.ok()) return catalog.status();
  found.catalog = *std::move(catalog);
  absl::StatusOr<FoundCheckpoint> checkpoint =
      ReadStoreCheckpoint(directory, found.notes);
  if (!checkpoint.ok()) return checkpoint.status();
  found.checkpoint = *std::move(checkpoint);
  // The copies for Kafka may list partitions that a deletion removed from ours.
  if (DropUnknown(found.catalog, found.checkpoint.partitions) > 0 ||
      !found.catalog.deleted().empty()) {
    found.checkpoint_state = CheckpointState::kStale;
  }
  absl::StatusOr<bool> clean = HasCleanShutdownMarker(directory);
  if (!clean.ok()) return clean.status();
  found.clean = *clean;
  return found;
}

}  // namespace varve
