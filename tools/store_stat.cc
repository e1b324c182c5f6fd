// SPDX-License-Identifier: Apache-2.0

#include "tools/store_stat.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/read_only_partition.h"
#include "api/read_only_store.h"
#include "api/topic_description.h"
#include "log/partition_stats.h"
#include "log/topic_name.h"
#include "tools/command_line.h"
#include "tools/writer_holdings.h"

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

absl::StatusOr<std::vector<StatTarget>> AllTopics(const ReadOnlyStore& store,
                                                  InternalTopics internal) {
  const absl::StatusOr<std::vector<TopicDescription>> topics =
      store.ListTopics();
  if (!topics.ok()) return topics.status();
  std::vector<StatTarget> targets;
  targets.reserve(topics->size());
  for (const TopicDescription& topic : *topics) {
    const bool shown = internal == InternalTopics::kInclude ||
                       !IsInternalTopicName(topic.name);
    if (shown) targets.push_back({.topic = topic.name});
  }
  return targets;
}

// Adds the partitions from `first` to before `end`. What is gone was deleted
// since it was listed.
void AddPartitions(const ReadOnlyStore& store, int32_t first, int32_t end,
                   TopicStat& topic, StoreStat& stat) {
  for (int32_t i = first; i < end; ++i) {
    absl::StatusOr<PartitionStats> stats = StatsOf(store, topic.topic, i);
    if (stats.ok()) {
      topic.partitions.push_back(
          {.partition = i,
           .stats = *std::move(stats),
           .holding = stat.writer.Of({.topic = topic.topic, .partition = i})});
    } else if (!absl::IsNotFound(stats.status())) {
      stat.failures.push_back(stats.status());
    }
  }
}

}  // namespace

absl::StatusOr<StatTarget> ParseStatTarget(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return StatTarget{.topic = std::string(text)};
  int32_t partition = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &partition) || partition < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\": say TOPIC, or TOPIC:PARTITION with the "
                     "number of a partition"));
  }
  return StatTarget{.topic = std::string(text.substr(0, colon)),
                    .partition = partition};
}

absl::StatusOr<StoreStat> CollectStoreStat(
    const ReadOnlyStore& store, const GlobalOptions& global,
    const std::vector<StatTarget>& targets, InternalTopics internal) {
  StoreStat stat;
  stat.taken_at = absl::Now();
  stat.writer = ReadWriterHoldings(global, stat.taken_at);
  const absl::StatusOr<std::vector<StatTarget>> wanted =
      targets.empty() ? AllTopics(store, internal) : targets;
  if (!wanted.ok()) return wanted.status();
  for (const StatTarget& target : *wanted) {
    const absl::StatusOr<TopicDescription> described =
        store.DescribeTopic(target.topic);
    if (targets.empty() && absl::IsNotFound(described.status())) continue;
    if (!described.ok()) return described.status();
    const int32_t count = described->config.partitions;
    const int32_t first = target.partition.value_or(0);
    if (first >= count) return store.partition(target.topic, first).status();
    TopicStat topic = {.topic = target.topic};
    AddPartitions(store, first,
                  target.partition.has_value() ? first + 1 : count, topic,
                  stat);
    stat.topics.push_back(std::move(topic));
  }
  return stat;
}

}  // namespace varve
