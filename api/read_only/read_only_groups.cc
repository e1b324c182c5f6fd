// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only/read_only_groups.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/offsets/consumer_offsets_topic.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/offsets/offset_answers.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/offsets/offset_validity.h"
#include "varve/api/read_only/partition_readers.h"
#include "varve/api/read_only/replayed_offsets.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

bool IsShown(const TopicCatalog& catalog, std::string_view topic,
             const OffsetTable::Entry& entry) {
  const TopicId named = catalog.IdOf(topic);
  return OffsetIsShown(OwnerOf(entry, named), named, [&](TopicId owner) {
    return catalog.IsForgetting(topic, owner);
  });
}

bool HasShown(const TopicCatalog& catalog, const OffsetTable::Group& offsets) {
  return std::any_of(offsets.begin(), offsets.end(), [&](const auto& offset) {
    return IsShown(catalog, offset.first.topic, offset.second);
  });
}

// The partitions of __consumer_offsets that may have the group's offsets. How
// many there are in its cluster a broker's directory does not say.
std::vector<int32_t> PartitionsFor(std::string_view group, const Topic& topic) {
  if (topic.hosted.is_of_broker()) return topic.PartitionNumbers();
  return {PartitionForGroup(group, topic.config.partitions)};
}

// A broker may not host the partition that has what was not found.
absl::Status WithPlace(const absl::Status& not_found,
                       std::string_view looked_at) {
  if (looked_at.empty()) return not_found;
  return absl::Status(
      not_found.code(),
      absl::StrCat(not_found.message(), "; of ", kConsumerOffsetsTopic,
                   " this broker's directory has ", looked_at));
}

// A damaged file knows of no epoch: the next writer makes it again.
absl::StatusOr<LeaderEpochs> EpochsOf(ReadOnlyPartitionReader& reader) {
  absl::StatusOr<LeaderEpochs> epochs = reader.Epochs();
  if (absl::IsDataLoss(epochs.status())) return LeaderEpochs();
  return epochs;
}

// What offsets of a partition are judged by.
struct PartitionNow {
  LogBounds bounds;
  LeaderEpochs epochs;
};

absl::StatusOr<PartitionNow> LookAt(ReadOnlyPartitionReader& reader) {
  const absl::StatusOr<LogBounds> bounds = reader.Bounds();
  if (!bounds.ok()) return bounds.status();
  absl::StatusOr<LeaderEpochs> epochs = EpochsOf(reader);
  if (!epochs.ok()) return epochs.status();
  // A recovery drops them.
  epochs->TruncateFromEnd(bounds->visible_end);
  return PartitionNow{.bounds = *bounds, .epochs = *std::move(epochs)};
}

// Fills in the bounds of an offset's partition, and sets the offset back as the
// next writer will, if a power loss has taken records before it. The offset was
// read before its partition, so its records were there already.
void Check(const PartitionNow& now, GroupOffset& offset) {
  OffsetAndMetadata& committed = offset.committed;
  const std::optional<int64_t> set_back = SetBackOffset(
      committed.offset,
      now.epochs.EndOffset(committed.leader_epoch, now.bounds.visible_end),
      now.bounds);
  if (set_back.has_value()) {
    committed.offset = *set_back;
    committed.leader_epoch = now.epochs.EpochAt(*set_back - 1).value_or(-1);
  }
  offset.log_start = now.bounds.log_start;
  offset.log_end = now.bounds.visible_end;
}

}  // namespace

// The partitions of topics as one call sees them: each is read once, for all
// offsets that are committed for it.
class ReadOnlyGroups::PartitionsNow {
 public:
  explicit PartitionsNow(const PartitionReaders* readers) : readers_(readers) {}

  // Null when it cannot be read.
  const PartitionNow* Find(const Topic& topic, int32_t partition) {
    auto& [now, is_read] = partitions_[{topic.id, partition}];
    if (!std::exchange(is_read, true)) {
      const auto reader = readers_->OpenOf(topic, partition);
      absl::StatusOr<PartitionNow> found =
          reader.ok() ? LookAt(**reader) : reader.status();
      if (found.ok()) now = *std::move(found);
    }
    return now.has_value() ? &*now : nullptr;
  }

 private:
  struct Place {
    std::optional<PartitionNow> now;
    bool is_read = false;
  };

  const PartitionReaders* const readers_;
  std::map<std::pair<TopicId, int32_t>, Place> partitions_;
};

absl::StatusOr<OffsetAndMetadata> ReadOnlyGroups::Find(std::string_view group,
                                                       std::string_view topic,
                                                       int32_t partition) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  const absl::StatusOr<Seen> seen = Look(group);
  if (!seen.ok()) return seen.status();
  const absl::StatusOr<const Topic*> named = seen->catalog.Get(topic);
  if (!named.ok()) return named.status();
  const absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> reader =
      readers_->OpenOf(**named, partition);
  if (!reader.ok()) return reader.status();
  const TopicPartition where = {.topic = std::string(topic),
                                .partition = partition};
  const auto found = seen->offsets.find(where);
  if (found == seen->offsets.end() ||
      !OffsetCounts(OwnerOf(found->second, (*named)->id), (*named)->id)) {
    return WithPlace(NoOffsetError(group, where), seen->looked_at);
  }
  absl::StatusOr<OffsetAndMetadata> committed =
      OffsetAnswer(group, where, found->second);
  if (!committed.ok()) return committed;
  const absl::StatusOr<PartitionNow> now = LookAt(**reader);
  if (!now.ok()) return now.status();
  GroupOffset offset = {.partition = where, .committed = *std::move(committed)};
  Check(*now, offset);
  return std::move(offset.committed);
}

absl::StatusOr<std::vector<std::string>> ReadOnlyGroups::List() {
  std::vector<std::string> groups;
  const absl::StatusOr<TopicCatalog> catalog = LookAtAll(
      [&groups](const std::string& group, const OffsetTable::Group& offsets,
                const TopicCatalog& topics) {
        if (HasShown(topics, offsets)) groups.push_back(group);
      });
  if (!catalog.ok()) return catalog.status();
  std::sort(groups.begin(), groups.end());
  return groups;
}

absl::StatusOr<std::vector<GroupOffset>> ReadOnlyGroups::Describe(
    std::string_view group) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  const absl::StatusOr<Seen> seen = Look(group);
  if (!seen.ok()) return seen.status();
  PartitionsNow partitions(readers_);
  absl::StatusOr<std::vector<GroupOffset>> described =
      DescribeOffsets(group, seen->offsets, seen->catalog, partitions);
  if (described.ok() && described->empty())
    return WithPlace(NoGroupError(group), seen->looked_at);
  return described;
}

absl::StatusOr<std::map<std::string, std::vector<GroupOffset>>>
ReadOnlyGroups::DescribeAll() {
  std::map<std::string, OffsetTable::Group> groups;
  const absl::StatusOr<TopicCatalog> catalog = LookAtAll(
      [&groups](const std::string& group, const OffsetTable::Group& offsets,
                const TopicCatalog& /*topics*/) {
        groups.emplace(group, offsets);
      });
  if (!catalog.ok()) return catalog.status();
  PartitionsNow partitions(readers_);
  std::map<std::string, std::vector<GroupOffset>> all;
  for (const auto& [group, offsets] : groups) {
    absl::StatusOr<std::vector<GroupOffset>> described =
        DescribeOffsets(group, offsets, *catalog, partitions);
    if (!described.ok()) return described.status();
    if (!described->empty()) all.emplace(group, *std::move(described));
  }
  return all;
}

// None when callers are to see none.
absl::StatusOr<std::vector<GroupOffset>> ReadOnlyGroups::DescribeOffsets(
    std::string_view group, const OffsetTable::Group& offsets,
    const TopicCatalog& catalog, PartitionsNow& partitions) {
  std::vector<GroupOffset> described;
  for (const auto& [partition, entry] : offsets) {
    if (!IsShown(catalog, partition.topic, entry)) continue;
    absl::StatusOr<OffsetAndMetadata> committed =
        OffsetAnswer(group, partition, entry);
    if (!committed.ok()) return committed.status();
    GroupOffset one = {.partition = partition,
                       .committed = *std::move(committed)};
    const Topic* const named = catalog.Find(partition.topic);
    if (named != nullptr && OwnerOf(entry, named->id) == named->id) {
      // The bounds are left out when they cannot be read.
      const PartitionNow* now = partitions.Find(*named, partition.partition);
      if (now != nullptr) Check(*now, one);
    }
    described.push_back(std::move(one));
  }
  return described;
}

// Shows all groups to `see`, with the lock held. Returns the topics.
absl::StatusOr<TopicCatalog> ReadOnlyGroups::LookAtAll(See see) {
  absl::MutexLock lock(&mu_);
  absl::StatusOr<TopicCatalog> catalog = readers_->files().ReadTopics();
  if (!catalog.ok()) return catalog;
  const Topic* const topic = catalog->Find(kConsumerOffsetsTopic);
  if (topic == nullptr) return catalog;
  std::vector<const OffsetTable*> tables;
  for (const int32_t i : topic->PartitionNumbers()) {
    absl::StatusOr<const OffsetTable*> table = TableOf(*topic, i);
    if (!table.ok()) return table.status();
    tables.push_back(*table);
  }
  // The offsets may be of topics that were made meanwhile.
  catalog = readers_->files().ReadTopics();
  if (!catalog.ok()) return catalog;
  for (const OffsetTable* table : tables) {
    for (const std::string& group : table->groups())
      see(group, *table->Find(group), *catalog);
  }
  return catalog;
}

absl::StatusOr<ReadOnlyGroups::Seen> ReadOnlyGroups::Look(
    std::string_view group) {
  absl::MutexLock lock(&mu_);
  absl::StatusOr<TopicCatalog> catalog = readers_->files().ReadTopics();
  if (!catalog.ok()) return catalog.status();
  const Topic* const topic = catalog->Find(kConsumerOffsetsTopic);
  if (topic == nullptr) return Seen{.catalog = *std::move(catalog)};
  Seen seen;
  if (topic->hosted.is_of_broker())
    seen.looked_at = topic->hosted.ToString(topic->config.partitions);
  for (const int32_t i : PartitionsFor(group, *topic)) {
    absl::StatusOr<const OffsetTable*> table = TableOf(*topic, i);
    if (!table.ok()) return table.status();
    if (const OffsetTable::Group* offsets = (*table)->Find(group))
      seen.offsets = *offsets;
  }
  // The offsets may be of topics that were made meanwhile.
  catalog = readers_->files().ReadTopics();
  if (!catalog.ok()) return catalog.status();
  seen.catalog = *std::move(catalog);
  return seen;
}

// The table of a partition of __consumer_offsets as it is now.
absl::StatusOr<const OffsetTable*> ReadOnlyGroups::TableOf(const Topic& topic,
                                                           int32_t partition) {
  if (topic_id_ != topic.id) {
    partitions_.clear();
    topic_id_ = topic.id;
  }
  std::unique_ptr<ReplayedOffsets>& place = partitions_[partition];
  if (place == nullptr) {
    absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> reader =
        readers_->OpenOf(topic, partition);
    if (!reader.ok()) return reader.status();
    place = std::make_unique<ReplayedOffsets>(
        PartitionDirectoryName(topic.name, partition), *std::move(reader),
        readers_->codecs(), environment_.clock,
        [this](const std::string& note) {
          const std::string& path = readers_->files().directory().path();
          const std::string text = absl::StrCat(path, "/", note);
          environment_.Log({.severity = absl::LogSeverity::kWarning,
                            .event = LogEvent::kRecovery,
                            .path = path,
                            .text = text});
        });
  }
  if (absl::Status status = place->CatchUp(); !status.ok()) return status;
  return &place->table();
}

}  // namespace varve
