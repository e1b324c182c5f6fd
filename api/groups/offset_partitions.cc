// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/offset_partitions.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/offsets/consumer_offsets_topic.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/store/store_state.h"
#include "varve/api/topics/topic_administration.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

absl::StatusOr<OffsetPartitions::Slot*> OffsetPartitions::OfGroup(
    std::string_view group, MissingTopic missing) {
  absl::StatusOr<int32_t> count = PartitionCount(missing);
  if (!count.ok()) return count.status();
  return Load(PartitionForGroup(group, *count));
}

// Errors: NotFound when there is no topic and none is to be made.
absl::StatusOr<int32_t> OffsetPartitions::PartitionCount(MissingTopic missing) {
  absl::StatusOr<Topic> topic =
      store_->topics().FindTopic(kConsumerOffsetsTopic);
  if (absl::IsNotFound(topic.status()) && missing == MissingTopic::kCreate) {
    absl::Status created = store_->topics().CreateTopic(
        kConsumerOffsetsTopic,
        ConsumerOffsetsConfig(store_->options().offsets_topic_num_partitions),
        TopicOwner::kStore);
    // Another thread may have been faster.
    if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
    topic = store_->topics().FindTopic(kConsumerOffsetsTopic);
  }
  if (!topic.ok()) return topic.status();
  return topic->config.partitions;
}

absl::StatusOr<OffsetPartitions::Slot*> OffsetPartitions::Load(
    int32_t partition) {
  // Also when it was read before: this is where a closed store says so.
  absl::StatusOr<std::shared_ptr<PartitionLog>> log =
      store_->OpenPartition(kConsumerOffsetsTopic, partition);
  if (!log.ok()) return log.status();
  Slot* slot = nullptr;
  {
    absl::MutexLock lock(&mu_);
    std::unique_ptr<Slot>& place = slots_[partition];
    if (place == nullptr) place = std::make_unique<Slot>();
    slot = place.get();
  }
  absl::MutexLock lock(&slot->mu);
  if (slot->offsets != nullptr) return slot;
  absl::StatusOr<std::unique_ptr<OffsetLog>> offsets = OffsetLog::Load(
      *std::move(log), PartitionDirectoryName(kConsumerOffsetsTopic, partition),
      store_->options().codecs, note_);
  if (!offsets.ok()) return offsets.status();
  loaded_(**offsets);
  slot->offsets = *std::move(offsets);
  absl::MutexLock list(&mu_);
  loaded_logs_[partition] = slot->offsets.get();
  return slot;
}

std::vector<const OffsetLog*> OffsetPartitions::loaded() const {
  absl::MutexLock lock(&mu_);
  std::vector<const OffsetLog*> logs;
  logs.reserve(loaded_logs_.size());
  for (const auto& [partition, log] : loaded_logs_) logs.push_back(log);
  return logs;
}

absl::Status OffsetPartitions::ForEach(
    absl::FunctionRef<absl::Status(OffsetLog&)> use) {
  absl::StatusOr<int32_t> count = PartitionCount(MissingTopic::kFail);
  if (absl::IsNotFound(count.status())) return absl::OkStatus();
  if (!count.ok()) return count.status();
  for (int32_t partition = 0; partition < *count; ++partition) {
    absl::StatusOr<Slot*> slot = Load(partition);
    if (!slot.ok()) return slot.status();
    absl::MutexLock lock(&(*slot)->mu);
    absl::Status status = use(*(*slot)->offsets);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace varve
