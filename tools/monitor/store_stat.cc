// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/monitor/store_stat.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/tools/monitor/writer_holdings.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/topic_target.h"

namespace varve {
namespace {

absl::StatusOr<PartitionStats> StatsOf(const ReadOnlyStore& store,
                                       std::string_view topic,
                                       int32_t partition) {
  const absl::StatusOr<ReadOnlyPartition> opened =
      store.partition(topic, partition);
  if (!opened.ok()) return opened.status();
  return opened->Stats();
}

absl::StatusOr<std::vector<TopicTarget>> AllTopics(const ReadOnlyStore& store,
                                                   InternalTopics internal) {
  const absl::StatusOr<std::vector<TopicDescription>> topics =
      store.ListTopics();
  if (!topics.ok()) return topics.status();
  std::vector<TopicTarget> targets;
  targets.reserve(topics->size());
  for (const TopicDescription& topic : *topics) {
    const bool shown = internal == InternalTopics::kInclude ||
                       !IsInternalTopicName(topic.name);
    if (shown) targets.push_back({.topic = topic.name});
  }
  return targets;
}

std::optional<std::string> CompressionTypeOf(const TopicDescription& topic) {
  if (topic.hosted.is_of_broker()) return std::nullopt;
  for (const auto& [name, value] : topic.config.log.NonDefault()) {
    if (name == "compression.type") return value;
  }
  return std::string(kDefaultCompressionType);
}

std::optional<double> MinDirtyRatioOf(const TopicDescription& topic) {
  const LogConfig& config = topic.config.log;
  if (config.cleanup_policy == CleanupPolicy::kDelete) return std::nullopt;
  return config.min_cleanable_dirty_ratio;
}

// How often a topic may be deleted, and made again, while it is looked at.
constexpr int kTriesMax = 10;

// The partitions of these numbers. Those that are missing were deleted since
// they were listed.
TopicStat PartitionsOf(const ReadOnlyStore& store, std::string_view name,
                       const std::vector<int32_t>& numbers, StoreStat& stat) {
  TopicStat topic = {.topic = std::string(name)};
  for (const int32_t i : numbers) {
    absl::StatusOr<PartitionStats> stats = StatsOf(store, name, i);
    if (stats.ok()) {
      topic.partitions.push_back(
          {.partition = i,
           .stats = *std::move(stats),
           .holding = stat.writer.Of({.topic = topic.topic, .partition = i})});
    } else if (!absl::IsNotFound(stats.status())) {
      stat.failures.push_back(stats.status());
    }
  }
  return topic;
}

// Adds the partitions that a target names, all of one and the same topic.
// Errors: NotFound; OutOfRange for a partition that it does not have.
absl::Status AddTarget(const ReadOnlyStore& store, const TopicTarget& target,
                       StoreStat& stat) {
  const size_t failures_before = stat.failures.size();
  for (int i = 1;; ++i) {
    const absl::StatusOr<TopicDescription> topic =
        store.DescribeTopic(target.topic);
    if (!topic.ok()) return topic.status();
    std::vector<int32_t> numbers = topic->partition_numbers();
    if (target.partition.has_value()) {
      numbers = {*target.partition};
      absl::Status status =
          store.partition(target.topic, *target.partition).status();
      if (absl::IsOutOfRange(status)) return status;
    }
    TopicStat found = PartitionsOf(store, target.topic, numbers, stat);
    const absl::StatusOr<TopicDescription> after =
        store.DescribeTopic(target.topic);
    if (!after.ok()) return after.status();
    if (after->id == topic->id || i == kTriesMax) {
      found.compression_type = CompressionTypeOf(*after);
      found.min_dirty_ratio = MinDirtyRatioOf(*after);
      stat.topics.push_back(std::move(found));
      return absl::OkStatus();
    }
    stat.failures.resize(failures_before);
  }
}

}  // namespace

absl::StatusOr<StoreStat> CollectStoreStat(
    const ReadOnlyStore& store, const GlobalOptions& global,
    const std::vector<TopicTarget>& targets, InternalTopics internal) {
  StoreStat stat;
  stat.taken_at = absl::Now();
  stat.writer = ReadWriterHoldings(global, stat.taken_at);
  const absl::StatusOr<std::vector<TopicTarget>> wanted =
      targets.empty() ? AllTopics(store, internal) : targets;
  if (!wanted.ok()) return wanted.status();
  for (const TopicTarget& target : *wanted) {
    absl::Status status = AddTarget(store, target, stat);
    if (targets.empty() && absl::IsNotFound(status)) continue;
    if (!status.ok()) return status;
  }
  return stat;
}

}  // namespace varve
