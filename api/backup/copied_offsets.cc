// SPDX-License-Identifier: Apache-2.0

#include "varve/api/backup/copied_offsets.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/offsets/consumer_offsets_topic.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/offsets/offset_validity.h"
#include "varve/api/read_only/replayed_offsets.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

class OffsetsChecker {
 public:
  OffsetsChecker(Directory& directory, const TopicCatalog& catalog,
                 const StoreCheckpoint& checkpoint, Clock* clock,
                 const Codecs* codecs)
      : directory_(directory),
        catalog_(catalog),
        checkpoint_(checkpoint),
        clock_(clock),
        codecs_(codecs) {}

  absl::StatusOr<FirstOpen> Run() {
    const Topic* const offsets = catalog_.Find(kConsumerOffsetsTopic);
    if (offsets == nullptr) return FirstOpen::kTrusting;
    for (int32_t i = 0; i < offsets->config.partitions; ++i) {
      const absl::StatusOr<bool> covered = CheckPartition(*offsets, i);
      if (!covered.ok()) return covered.status();
      if (!*covered) return FirstOpen::kChecking;
    }
    return FirstOpen::kTrusting;
  }

 private:
  // Returns whether all offsets in this partition of __consumer_offsets are
  // covered by records.
  absl::StatusOr<bool> CheckPartition(const Topic& topic, int32_t partition) {
    const std::string name = PartitionDirectoryName(topic.name, partition);
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        directory_.OpenDirectory(name);
    // It is lost in the source, too.
    if (absl::IsNotFound(directory.status())) return true;
    if (!directory.ok()) return directory.status();
    const PartitionFacts facts = {
        .checkpoint = CheckpointOf(topic.name, partition),
        .continuity = topic.continuity()};
    ReplayedOffsets offsets(
        name,
        std::make_shared<ReadOnlyPartitionReader>(
            *std::move(directory),
            ReadOnlyLog::Options{.outline = [facts](FactsAge) { return facts; },
                                 .clock = clock_,
                                 .sealed = SealedAccess::kRead}),
        codecs_, clock_, [](const std::string&) {});
    absl::Status status = offsets.CatchUp();
    if (absl::IsDataLoss(status)) return false;
    if (!status.ok()) return status;
    return AllAreCovered(offsets.table());
  }

  bool AllAreCovered(const OffsetTable& table) {
    bool all = true;
    table.ForEachOffset([&](const std::string& /*group*/,
                            const TopicPartition& partition,
                            const OffsetTable::Entry& entry) {
      all = all && IsCovered(partition, entry);
    });
    return all;
  }

  // True also of an offset that counts for nothing.
  bool IsCovered(const TopicPartition& partition,
                 const OffsetTable::Entry& entry) {
    const Topic* const topic = catalog_.Find(partition.topic);
    if (topic == nullptr || partition.partition >= topic->config.partitions ||
        !OffsetCounts(OwnerOf(entry, topic->id), topic->id)) {
      return true;
    }
    const absl::StatusOr<OffsetCommitValue> value =
        ParseOffsetCommitValue(entry.value);
    if (!value.ok()) return true;
    const PartitionCheckpoint bounds =
        CheckpointOf(partition.topic, partition.partition);
    const int64_t end = bounds.recovery_point;
    return !SetBackOffset(
                value->offset,
                EpochsOf(partition).EndOffset(value->leader_epoch, end),
                {.log_start = bounds.log_start, .visible_end = end})
                .has_value();
  }

  // Those of a partition that has none, or has lost them, are empty.
  const LeaderEpochs& EpochsOf(const TopicPartition& partition) {
    const auto [at, is_new] = epochs_.try_emplace(partition);
    if (!is_new) return at->second;
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        directory_.OpenDirectory(
            PartitionDirectoryName(partition.topic, partition.partition));
    if (!directory.ok()) return at->second;
    absl::StatusOr<LeaderEpochs> epochs =
        ReadLeaderEpochCheckpoint(**directory);
    if (epochs.ok()) at->second = *std::move(epochs);
    return at->second;
  }

  PartitionCheckpoint CheckpointOf(const std::string& topic,
                                   int32_t partition) const {
    const auto entry = checkpoint_.find({topic, partition});
    return entry == checkpoint_.end() ? PartitionCheckpoint() : entry->second;
  }

  Directory& directory_;
  const TopicCatalog& catalog_;
  const StoreCheckpoint& checkpoint_;
  Clock* const clock_;
  const Codecs* const codecs_;
  std::map<TopicPartition, LeaderEpochs> epochs_;
};

}  // namespace

absl::StatusOr<FirstOpen> FirstOpenOf(Directory& directory,
                                      const TopicCatalog& catalog,
                                      const StoreCheckpoint& checkpoint,
                                      Clock* clock, const Codecs* codecs) {
  return OffsetsChecker(directory, catalog, checkpoint, clock, codecs).Run();
}

}  // namespace varve
