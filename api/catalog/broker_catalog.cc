// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/broker_catalog.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/topic_config.h"
#include "varve/log/metadata/checkpoint_text.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/hosted_partitions.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// The cluster's own log, which has no topic: KRaft's.
constexpr std::string_view kClusterMetadata = "__cluster_metadata";
// The one other directory that a broker tolerates.
constexpr std::string_view kRemoteIndexName = "remote-log-index-cache";
// The regular files at the top of its directory.
constexpr std::string_view kBrokerFiles[] = {
    kMetaPropertiesName, kLockName,
    kCleanShutdownName,  kRecoveryPointName,
    kLogStartName,       kReplicationName,
    kCleanerName,        "bootstrap.checkpoint",
};
// How a store's own files begin.
constexpr std::string_view kStorePrefix = "varve.";
// A checkpoint of 100,000 partitions with long names is smaller.
constexpr int64_t kCheckpointSizeMax = int64_t{64} << 20;

// The partition whose directory the entry is.
std::optional<TopicPartition> PartitionOf(const DirectoryEntry& entry) {
  if (entry.kind != EntryKind::kDirectory) return std::nullopt;
  std::optional<TopicPartition> partition =
      ParsePartitionDirectoryName(entry.name);
  if (partition.has_value() && partition->topic == kClusterMetadata)
    return std::nullopt;
  return partition;
}

// The partitions of one topic that say the same id.
using ById = std::map<TopicId, std::vector<int32_t>>;

class BrokerTopics {
 public:
  BrokerTopics(Directory& data, std::vector<std::string>& notes)
      : data_(data), notes_(notes) {}

  absl::StatusOr<TopicCatalog> Read() {
    const absl::StatusOr<std::vector<DirectoryEntry>> entries = data_.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      const std::optional<TopicPartition> partition = PartitionOf(entry);
      if (!partition.has_value()) continue;
      absl::Status status = Add(entry.name, *partition);
      // It was deleted since it was listed.
      if (!status.ok() && !absl::IsNotFound(status)) return status;
    }
    TopicCatalog catalog;
    for (auto& [name, by_id] : topics_) AddTo(catalog, name, std::move(by_id));
    return catalog;
  }

 private:
  void Note(std::string_view name, std::string_view what) {
    notes_.push_back(absl::StrCat(data_.PathOf(name), ": ", what));
  }

  absl::Status Add(const std::string& name, const TopicPartition& partition) {
    if (partition.partition >= TopicConfig::kPartitionsMax) {
      Note(name, "a partition of too high a number; left out");
      return absl::OkStatus();
    }
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        data_.OpenDirectory(name);
    if (!directory.ok()) return directory.status();
    absl::StatusOr<TopicId> id = ReadId(**directory, partition.topic);
    if (!id.ok()) return id.status();
    if (id->is_none()) {
      Note(name, "holds no records and no topic's id; left out");
      return absl::OkStatus();
    }
    topics_[partition.topic][*id].push_back(partition.partition);
    return absl::OkStatus();
  }

  // The id "none" when it is no partition, but only named like one.
  absl::StatusOr<TopicId> ReadId(Directory& directory,
                                 const std::string& topic) {
    const absl::StatusOr<std::string> text = ReadWholeFile(
        directory, kPartitionMetadataName, kPartitionMetadataSizeMax);
    absl::Status status = text.status();
    if (text.ok()) {
      absl::StatusOr<TopicId> id = ParsePartitionMetadata(*text);
      if (id.ok()) return id;
      status = id.status();
    }
    if (!absl::IsNotFound(status) && !absl::IsDataLoss(status)) return status;
    if (absl::IsDataLoss(status))
      notes_.push_back(absl::StrCat(directory.PathOf(kPartitionMetadataName),
                                    ": ", status.message()));
    const absl::StatusOr<std::vector<int64_t>> segments =
        ListSegments(directory);
    if (!segments.ok()) return segments.status();
    return segments->empty() ? TopicId() : IdOfNamelessTopic(topic);
  }

  void AddTo(TopicCatalog& catalog, const std::string& name, ById by_id) {
    // The first of the largest ones.
    const auto chosen = std::max_element(
        by_id.begin(), by_id.end(), [](const auto& a, const auto& b) {
          return a.second.size() < b.second.size();
        });
    for (const auto& [id, partitions] : by_id) {
      if (id == chosen->first) continue;
      for (const int32_t partition : partitions) {
        Note(PartitionDirectoryName(name, partition),
             "is of another topic than most partitions of that name; left out");
      }
    }
    std::vector<int32_t>& partitions = chosen->second;
    absl::c_sort(partitions);
    Topic topic = {.name = name, .id = chosen->first, .config = {}};
    topic.config.partitions = partitions.back() + 1;
    topic.history = Continuity::kGapsAllowed;
    topic.hosted = HostedPartitions::OfBroker(std::move(partitions));
    absl::Status status = catalog.Add(std::move(topic));
    if (!status.ok()) Note(name, absl::StrCat(status.message(), "; left out"));
  }

  Directory& data_;
  std::vector<std::string>& notes_;
  std::map<std::string, ById> topics_;
};

// Adds the entries of one of the broker's checkpoints.
absl::Status ReadOffsets(Directory& data, std::string_view name,
                         int64_t PartitionCheckpoint::*field,
                         StoreCheckpoint& checkpoint,
                         std::vector<std::string>& notes) {
  const absl::StatusOr<std::string> text =
      ReadWholeFile(data, name, kCheckpointSizeMax);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  const absl::StatusOr<std::vector<PartitionOffset>> entries =
      text.ok() ? ParseOffsetCheckpoint(*text)
                : absl::StatusOr<std::vector<PartitionOffset>>(text.status());
  if (absl::IsDataLoss(entries.status())) {
    notes.push_back(
        absl::StrCat(data.PathOf(name), ": ", entries.status().message()));
    return absl::OkStatus();
  }
  if (!entries.ok()) return entries.status();
  for (const PartitionOffset& entry : *entries) {
    PartitionCheckpoint& partition = checkpoint[{entry.topic, entry.partition}];
    partition.origin = CheckpointOrigin::kStandIn;
    partition.*field = entry.offset;
  }
  return absl::OkStatus();
}

// 64 bits that depend on every character: FNV-1a, from a start of its own.
uint64_t HashOf(std::string_view text, uint64_t start) {
  constexpr uint64_t kPrime = 0x100000001b3;
  uint64_t hash = start;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= kPrime;
  }
  return hash;
}

}  // namespace

absl::StatusOr<bool> IsBrokerDirectory(
    Directory& data, absl::Span<const DirectoryEntry> entries) {
  for (const DirectoryEntry& entry : entries) {
    if (entry.name == kMetaPropertiesName) return true;
  }
  for (const DirectoryEntry& entry : entries) {
    if (absl::StartsWith(entry.name, kStorePrefix)) return false;
  }
  for (const DirectoryEntry& entry : entries) {
    if (!PartitionOf(entry).has_value()) continue;
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        data.OpenDirectory(entry.name);
    if (absl::IsNotFound(directory.status())) continue;
    if (!directory.ok()) return directory.status();
    const absl::StatusOr<std::vector<int64_t>> segments =
        ListSegments(**directory);
    if (!segments.ok()) return segments.status();
    if (!segments->empty()) return true;
  }
  return false;
}

bool IsBrokerEntry(const DirectoryEntry& entry) {
  if (entry.kind == EntryKind::kDirectory) {
    return entry.name == kRemoteIndexName ||
           absl::StartsWith(entry.name, absl::StrCat(kClusterMetadata, "-")) ||
           absl::EndsWith(entry.name, "-delete") ||
           absl::EndsWith(entry.name, "-future") ||
           absl::EndsWith(entry.name, "-stray");
  }
  return entry.kind == EntryKind::kFile &&
         absl::c_linear_search(kBrokerFiles, entry.name);
}

absl::StatusOr<TopicCatalog> ReadBrokerTopics(Directory& data,
                                              std::vector<std::string>& notes) {
  return BrokerTopics(data, notes).Read();
}

TopicId IdOfNamelessTopic(std::string_view name) {
  // A UUID of version 8, which is made as its maker likes. The second hash has
  // the first one's start with all bits turned round.
  constexpr uint64_t kStart = 0xcbf29ce484222325;
  constexpr uint64_t kVersion = 0x8000;
  constexpr uint64_t kVersionMask = 0xf000;
  constexpr uint64_t kVariant = uint64_t{1} << 63;
  constexpr uint64_t kVariantMask = uint64_t{3} << 62;
  return TopicId((HashOf(name, kStart) & ~kVersionMask) | kVersion,
                 (HashOf(name, ~kStart) & ~kVariantMask) | kVariant);
}

absl::StatusOr<FoundCheckpoint> ReadBrokerCheckpoint(
    Directory& data, std::vector<std::string>& notes) {
  FoundCheckpoint found = {.origin = CheckpointOrigin::kStandIn};
  absl::Status status = ReadOffsets(data, kRecoveryPointName,
                                    &PartitionCheckpoint::recovery_point,
                                    found.partitions, notes);
  if (status.ok()) {
    status = ReadOffsets(data, kLogStartName, &PartitionCheckpoint::log_start,
                         found.partitions, notes);
  }
  if (!status.ok()) return status;
  // Nothing below the log start is missed.
  for (auto& [partition, entry] : found.partitions)
    entry.recovery_point = std::max(entry.recovery_point, entry.log_start);
  return found;
}

}  // namespace varve
