// SPDX-License-Identifier: Apache-2.0

#include "tools/topic_description.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "api/read_only_partition.h"
#include "api/read_only_store.h"
#include "api/topic_description.h"
#include "log/segment_name.h"
#include "tools/human_units.h"
#include "tools/record_json.h"
#include "tools/text_table.h"

namespace varve {
namespace {

// Of the blocks that a directory's files take; files that go meanwhile, or
// cannot be looked at, count for nothing.
int64_t DiskBytes(const std::string& directory) {
  constexpr int64_t kStatBlock = 512;
  int64_t bytes = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory, error)) {
    struct stat status;
    if (lstat(entry.path().c_str(), &status) == 0) {
      bytes += int64_t{status.st_blocks} * kStatBlock;
    }
  }
  return bytes;
}

std::vector<std::pair<std::string, std::string>> Configs(
    const TopicDetails& details, ConfigsShown shown) {
  const auto& log = details.topic.config.log;
  return shown == ConfigsShown::kAll ? log.All() : log.NonDefault();
}

}  // namespace

absl::StatusOr<TopicDetails> DescribeTopic(const ReadOnlyStore& store,
                                           std::string_view name) {
  absl::StatusOr<TopicDescription> topic = store.DescribeTopic(name);
  if (!topic.ok()) return topic.status();
  TopicDetails details = {.topic = *std::move(topic), .partitions = {}};
  for (int32_t i = 0; i < details.topic.config.partitions; ++i) {
    absl::StatusOr<ReadOnlyPartition> partition = store.partition(name, i);
    if (!partition.ok()) return partition.status();
    absl::StatusOr<LogBounds> bounds = partition->Bounds();
    if (!bounds.ok()) return bounds.status();
    details.partitions.push_back(
        {.log_start = bounds->log_start,
         .durable_end = std::max(bounds->recovery_point, bounds->log_start),
         .visible_end = bounds->visible_end,
         .segment_count = bounds->segment_count,
         .disk_bytes = DiskBytes(absl::StrCat(
             store.path(), "/", PartitionDirectoryName(name, i)))});
  }
  return details;
}

std::string ToText(const TopicDetails& details, ConfigsShown shown) {
  std::string text =
      absl::StrCat("topic       ", details.topic.name, "\nid          ",
                   details.topic.id.ToText(), "\npartitions  ",
                   details.topic.config.partitions, "\n");
  const auto configs = Configs(details, shown);
  TextTable config_table({{}, {}});
  for (const auto& [name, value] : configs) config_table.AddRow({name, value});
  absl::StrAppend(&text, "config      ",
                  configs.empty() ? "all defaults; --all shows them" : "", "\n",
                  config_table.ToString("  "), "\n");
  TextTable table({{.title = "PARTITION", .align = Align::kRight},
                   {.title = "LOG START", .align = Align::kRight},
                   {.title = "DURABLE END", .align = Align::kRight},
                   {.title = "VISIBLE END", .align = Align::kRight},
                   {.title = "OFFSETS", .align = Align::kRight},
                   {.title = "SEGMENTS", .align = Align::kRight},
                   {.title = "ON DISK", .align = Align::kRight}});
  for (size_t i = 0; i < details.partitions.size(); ++i) {
    const PartitionDetails& partition = details.partitions[i];
    table.AddRow({absl::StrCat(i), absl::StrCat(partition.log_start),
                  absl::StrCat(partition.durable_end),
                  absl::StrCat(partition.visible_end),
                  absl::StrCat(partition.visible_end - partition.log_start),
                  absl::StrCat(partition.segment_count),
                  HumanBytes(partition.disk_bytes)});
  }
  return text + table.ToString();
}

Json ToJson(const TopicDetails& details, ConfigsShown shown) {
  Json config = Json::object();
  for (const auto& [name, value] : Configs(details, shown)) {
    config[name] = value;
  }
  Json partitions = Json::array();
  for (size_t i = 0; i < details.partitions.size(); ++i) {
    const PartitionDetails& partition = details.partitions[i];
    partitions.push_back({{"partition", i},
                          {"log_start", partition.log_start},
                          {"durable_end", partition.durable_end},
                          {"visible_end", partition.visible_end},
                          {"segments", partition.segment_count},
                          {"disk_bytes", partition.disk_bytes}});
  }
  return {{"topic", details.topic.name},
          {"id", details.topic.id.ToText()},
          {"config", std::move(config)},
          {"partitions", std::move(partitions)}};
}

}  // namespace varve
