// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/topic_details.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/config_warnings.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/tools/monitor/store_stat_text.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/text_table.h"

namespace varve {
namespace {

std::vector<std::pair<std::string, std::string>> Configs(
    const TopicDetails& details, ConfigsShown shown) {
  const auto& log = details.topic.config.log;
  return shown == ConfigsShown::kAll ? log.All() : log.NonDefault();
}

std::string ConfigText(const TopicDetails& details, ConfigsShown shown) {
  if (details.topic.hosted.is_of_broker())
    return "config      not known: a broker does not keep it beside its logs\n";
  const auto configs = Configs(details, shown);
  TextTable table({{}, {}});
  for (const auto& [name, value] : configs) table.AddRow({name, value});
  std::string text = absl::StrCat(
      "config      ", configs.empty() ? "all defaults; --all shows them" : "",
      "\n", table.ToString("  "));
  for (const std::string& warning : ConfigWarnings(details.topic.config.log))
    absl::StrAppend(&text, "  warning: ", warning, "\n");
  return text;
}

// How often a topic may be deleted, and made again, while it is described.
constexpr int kTriesMax = 10;

absl::StatusOr<TopicDetails> TryDescribe(const ReadOnlyStore& store,
                                         std::string_view name) {
  absl::StatusOr<TopicDescription> topic = store.DescribeTopic(name);
  if (!topic.ok()) return topic.status();
  TopicDetails details = {.topic = *std::move(topic), .partitions = {}};
  for (const int32_t i : details.topic.partition_numbers()) {
    absl::StatusOr<ReadOnlyPartition> partition = store.partition(name, i);
    if (!partition.ok()) return partition.status();
    absl::StatusOr<PartitionStats> stats = partition->Stats();
    if (!stats.ok()) return stats.status();
    details.partitions.push_back(*std::move(stats));
  }
  return details;
}

}  // namespace

absl::StatusOr<TopicDetails> DescribeTopic(const ReadOnlyStore& store,
                                           std::string_view name) {
  for (int i = 1;; ++i) {
    const absl::StatusOr<TopicDescription> before = store.DescribeTopic(name);
    absl::StatusOr<TopicDetails> details = TryDescribe(store, name);
    const absl::StatusOr<TopicDescription> after = store.DescribeTopic(name);
    if (!after.ok()) return after.status();
    if ((before.ok() && before->id == after->id) || i == kTriesMax)
      return details;
  }
}

std::string ToText(const TopicDetails& details, ConfigsShown shown) {
  std::string text = absl::StrCat("topic       ", details.topic.name,
                                  "\nid          ", details.topic.id.ToText(),
                                  "\npartitions  ", details.partitions.size(),
                                  "\n", ConfigText(details, shown), "\n");
  TextTable table({{.title = "PARTITION", .align = Align::kRight},
                   {.title = "LOG START", .align = Align::kRight},
                   {.title = "DURABLE END", .align = Align::kRight},
                   {.title = "VISIBLE END", .align = Align::kRight},
                   {.title = "OFFSETS", .align = Align::kRight},
                   {.title = "SEGMENTS", .align = Align::kRight},
                   {.title = "BATCHES", .align = Align::kRight},
                   {.title = "ON DISK", .align = Align::kRight},
                   {.title = "EPOCH", .align = Align::kRight},
                   {.title = "OLDEST"},
                   {.title = "NEWEST"}});
  const std::vector<int32_t> numbers = details.topic.partition_numbers();
  for (size_t i = 0; i < details.partitions.size(); ++i) {
    const PartitionStats& stats = details.partitions[i];
    table.AddRow(
        {absl::StrCat(numbers[i]), absl::StrCat(stats.log_start),
         absl::StrCat(stats.durable_end), absl::StrCat(stats.visible_end),
         absl::StrCat(stats.visible_end - stats.log_start),
         absl::StrCat(stats.segments), HumanBytes(stats.batch_bytes),
         HumanBytes(stats.disk_bytes), EpochText(stats),
         StatTimeText(stats.oldest_time), StatTimeText(stats.newest_time)});
  }
  return text + table.ToString();
}

Json ToJson(const TopicDetails& details, ConfigsShown shown) {
  Json config = Json::object();
  for (const auto& [name, value] : Configs(details, shown)) {
    config[name] = value;
  }
  if (details.topic.hosted.is_of_broker()) config = nullptr;
  const std::vector<int32_t> numbers = details.topic.partition_numbers();
  Json partitions = Json::array();
  for (size_t i = 0; i < details.partitions.size(); ++i)
    partitions.push_back(ToJson(numbers[i], details.partitions[i]));
  return {{"topic", details.topic.name},
          {"id", details.topic.id.ToText()},
          {"config", std::move(config)},
          {"warnings", ConfigWarnings(details.topic.config.log)},
          {"partitions", std::move(partitions)}};
}

}  // namespace varve
