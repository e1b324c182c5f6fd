// SPDX-License-Identifier: Apache-2.0

#include "varve/api/import/broker_offsets.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/import/import_source.h"
#include "varve/api/offsets/consumer_offsets_topic.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/offsets/offset_validity.h"
#include "varve/api/read_only/replayed_offsets.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<BrokerOffsets> BrokerOffsets::Read(
    const ImportSource& source, Clock* clock, const Codecs* codecs,
    std::vector<std::string>& notes) {
  BrokerOffsets offsets;
  const Topic* const topic = source.catalog().Find(kConsumerOffsetsTopic);
  if (topic == nullptr) return offsets;
  for (const int32_t i : topic->PartitionNumbers()) {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        source.OpenPartition(*topic, i);
    if (!directory.ok()) return directory.status();
    const PartitionFacts facts = {.checkpoint = source.CheckpointOf(*topic, i),
                                  .continuity = topic->continuity()};
    ReplayedOffsets replayed(
        source.directory()->PathOf(PartitionDirectoryName(topic->name, i)),
        std::make_shared<ReadOnlyPartitionReader>(
            *std::move(directory),
            ReadOnlyLog::Options{.outline = [facts](FactsAge) { return facts; },
                                 .clock = clock,
                                 .sealed = SealedAccess::kRead},
            nullptr, Decompressor(codecs)),
        codecs, clock,
        [&notes](const std::string& note) { notes.push_back(note); });
    if (absl::Status status = replayed.CatchUp(); !status.ok()) return status;
    replayed.table().ForEachOffset([&](const std::string& group,
                                       const TopicPartition& partition,
                                       const OffsetTable::Entry& entry) {
      offsets.groups_[group].insert_or_assign(partition, entry);
    });
  }
  return offsets;
}

std::map<std::string, BrokerOffsets::OfGroup> BrokerOffsets::For(
    const Topic& topic, std::vector<std::string>& notes) const {
  std::map<std::string, OfGroup> found;
  for (const auto& [group, offsets] : groups_) {
    OfGroup of_topic;
    for (const auto& [partition, entry] : offsets) {
      if (partition.topic != topic.name || !topic.Has(partition.partition) ||
          !OffsetCounts(OwnerOf(entry, topic.id), topic.id)) {
        continue;
      }
      absl::Status status = ValidateGroupId(group);
      if (status.ok()) status = ParseOffsetCommitValue(entry.value).status();
      if (status.ok()) {
        of_topic.emplace(partition, entry);
      } else {
        notes.push_back(absl::StrCat(
            QuotedGroup(group), ": what it committed for ", partition.topic,
            " ", partition.partition, " is left out: ", status.message()));
      }
    }
    if (!of_topic.empty()) found.emplace(group, std::move(of_topic));
  }
  return found;
}

}  // namespace varve
