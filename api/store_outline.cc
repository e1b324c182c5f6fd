// SPDX-License-Identifier: Apache-2.0

#include "api/store_outline.h"

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
#include "api/partition_identity.h"
#include "api/store_checkpoint.h"
#include "api/store_files.h"
#include "api/topic_catalog.h"
#include "log/file_system.h"
#include "log/live_log.h"
#include "log/partition_checkpoint.h"

namespace varve {

absl::StatusOr<TopicCatalog> StoreOutline::ReadTopics() const {
  return ReadTopicCatalog(*directory_);
}

absl::Status StoreOutline::Refresh(OutlineAge age) {
  const absl::Time now = clock_->Steady();
  if (age == OutlineAge::kRecent && now - read_at_ < kAgeMax)
    return absl::OkStatus();
  absl::StatusOr<TopicCatalog> catalog = ReadTopics();
  if (!catalog.ok()) return catalog.status();
  // A checkpoint that cannot be read is the writer's to report and to write
  // anew: its values are lower bounds, and none is one too.
  std::vector<std::string> notes;
  absl::StatusOr<FoundCheckpoint> checkpoint =
      ReadStoreCheckpoint(*directory_, notes);
  if (!checkpoint.ok()) return checkpoint.status();
  // The checkpoint has names, not ids: it is not that of a topic that was made
  // anew between the two.
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

absl::Status StoreOutline::RefreshFor(const Topic& topic, OutlineAge age) {
  for (const OutlineAge wanted : {age, OutlineAge::kNow}) {
    if (absl::Status status = Refresh(wanted); !status.ok()) return status;
    const Topic* const known = catalog_.Find(topic.name);
    if (known != nullptr && known->id == topic.id) return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat(directory_->path(), ": topic \"",
                                          topic.name, "\" was deleted"));
}

absl::StatusOr<PartitionOutline> StoreOutline::OutlineOf(const Topic& topic,
                                                         int32_t partition,
                                                         OutlineAge age) {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = RefreshFor(topic, age); !status.ok()) return status;
  PartitionOutline outline = {
      .checkpoint = {.origin = checkpoint_.origin},
      .continuity = catalog_.Find(topic.name)->continuity()};
  const auto entry = checkpoint_.partitions.find({topic.name, partition});
  if (entry != checkpoint_.partitions.end()) outline.checkpoint = entry->second;
  return outline;
}

absl::StatusOr<std::unique_ptr<Directory>> StoreOutline::OpenPartition(
    const Topic& topic, int32_t partition) {
  absl::MutexLock lock(&mu_);
  absl::StatusOr<std::unique_ptr<Directory>> directory;
  // The topic may be deleted, and made again, while it is opened.
  for (const OutlineAge age : {OutlineAge::kRecent, OutlineAge::kNow}) {
    absl::Status status = RefreshFor(topic, age);
    if (!status.ok()) return status;
    std::string note;
    directory =
        OpenPartitionDirectory(*directory_, catalog_, topic, partition, note);
    if (directory.ok() && note.empty()) return directory;
  }
  return directory;
}

}  // namespace varve
