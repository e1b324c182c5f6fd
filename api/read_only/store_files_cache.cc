// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only/store_files_cache.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<TopicCatalog> StoreFilesCache::ReadTopics() const {
  return source_.ReadTopics(*directory_);
}

absl::Status StoreFilesCache::Refresh(FactsAge age) {
  const absl::Time now = clock_->Steady();
  if (age == FactsAge::kRecent && now - read_at_ < source_.age_max())
    return absl::OkStatus();
  absl::StatusOr<TopicCatalog> catalog = ReadTopics();
  if (!catalog.ok()) return catalog.status();
  // The writer reports a checkpoint that cannot be read, and writes it again:
  // its values are lower bounds, and none is one, too.
  std::vector<std::string> notes;
  absl::StatusOr<FoundCheckpoint> checkpoint =
      source_.ReadCheckpoint(*directory_, notes);
  if (!checkpoint.ok()) return checkpoint.status();
  // The checkpoint has names, not ids: its entries of topics that were made
  // again between the two reads of the catalog are dropped.
  absl::StatusOr<TopicCatalog> after = ReadTopics();
  if (!after.ok()) return after.status();
  std::erase_if(checkpoint->partitions, [&](const auto& entry) {
    const std::string& name = entry.first.first;
    const Topic* const first = catalog->Find(name);
    const Topic* const second = after->Find(name);
    return first == nullptr || second == nullptr || first->id != second->id;
  });
  catalog_ = *std::move(after);
  checkpoint_ = *std::move(checkpoint);
  read_at_ = now;
  return absl::OkStatus();
}

absl::Status StoreFilesCache::RefreshFor(const Topic& topic, FactsAge age) {
  for (const FactsAge wanted : {age, FactsAge::kNow}) {
    if (absl::Status status = Refresh(wanted); !status.ok()) return status;
    const Topic* const known = catalog_.Find(topic.name);
    if (known != nullptr && known->id == topic.id) return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat(directory_->path(), ": topic \"",
                                          topic.name, "\" was deleted"));
}

absl::StatusOr<PartitionFacts> StoreFilesCache::FactsOf(const Topic& topic,
                                                        int32_t partition,
                                                        FactsAge age) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = RefreshFor(topic, age); !status.ok()) return status;
  PartitionFacts outline = {
      .checkpoint = {.origin = checkpoint_.origin},
      .continuity = catalog_.Find(topic.name)->continuity()};
  const auto entry = checkpoint_.partitions.find({topic.name, partition});
  if (entry != checkpoint_.partitions.end()) outline.checkpoint = entry->second;
  return outline;
}

absl::StatusOr<std::unique_ptr<Directory>> StoreFilesCache::OpenPartition(
    const Topic& topic, int32_t partition) {
  absl::MutexLock lock(&mu_);
  absl::StatusOr<std::unique_ptr<Directory>> directory;
  // The topic may be deleted, and made again, while it is opened.
  for (const FactsAge age : {FactsAge::kRecent, FactsAge::kNow}) {
    absl::Status status = RefreshFor(topic, age);
    if (!status.ok()) return status;
    std::string note;
    directory =
        source_.OpenPartition(*directory_, catalog_, topic, partition, note);
    if (directory.ok() && note.empty()) return directory;
  }
  return directory;
}

}  // namespace varve
