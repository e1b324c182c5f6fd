// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/monitor/store_stat_text.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/tools/monitor/store_stat.h"
#include "varve/tools/monitor/writer_holdings.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/text_table.h"

namespace varve {
namespace {

// The sums over all partitions of a topic that were read.
struct Totals {
  int64_t records = 0;  // offsets from the log starts to the visible ends
  int64_t segments = 0;
  int64_t batch_bytes = 0;
  int64_t disk_bytes = 0;
  std::optional<absl::Time> oldest_time = {};
  std::optional<absl::Time> newest_time = {};
  std::optional<Holding> holding = Holding();
};

Totals TotalsOf(const TopicStat& topic) {
  Totals totals;
  for (const PartitionStat& partition : topic.partitions) {
    const PartitionStats& stats = partition.stats;
    totals.records += stats.visible_end - stats.log_start;
    totals.segments += stats.segments;
    totals.batch_bytes += stats.batch_bytes;
    totals.disk_bytes += stats.disk_bytes;
    if (stats.oldest_time.has_value()) {
      totals.oldest_time = std::min(
          totals.oldest_time.value_or(*stats.oldest_time), *stats.oldest_time);
    }
    if (stats.newest_time.has_value()) {
      totals.newest_time = std::max(
          totals.newest_time.value_or(*stats.newest_time), *stats.newest_time);
    }
    if (!partition.holding.has_value()) totals.holding = std::nullopt;
    if (totals.holding.has_value()) totals.holding->Add(*partition.holding);
  }
  return totals;
}

// "2", "2 (27.0 MB deleted, held for 40.00 s)".
std::string PinsText(const std::optional<Holding>& holding) {
  if (!holding.has_value()) return "?";
  std::string text = absl::StrCat(holding->pins);
  if (holding->pinned_deleted_bytes > 0) {
    absl::StrAppend(&text, " (", HumanBytes(holding->pinned_deleted_bytes),
                    " deleted, held for ",
                    HumanTime(absl::Seconds(holding->pinned_deleted_seconds)),
                    ")");
  }
  return text;
}

std::string UnsyncedText(const std::optional<Holding>& holding) {
  return holding.has_value() ? HumanBytes(holding->unsynced_bytes) : "?";
}

void AddRows(const TopicStat& topic, TextTable& table) {
  for (const auto& [partition, stats, holding] : topic.partitions) {
    table.AddRow(
        {topic.topic, absl::StrCat(partition), absl::StrCat(stats.log_start),
         absl::StrCat(stats.durable_end), absl::StrCat(stats.visible_end),
         absl::StrCat(stats.segments), HumanBytes(stats.batch_bytes),
         HumanBytes(stats.disk_bytes), EpochText(stats),
         StatTimeText(stats.oldest_time), StatTimeText(stats.newest_time),
         UnsyncedText(holding), PinsText(holding)});
  }
  if (topic.partitions.size() < 2) return;
  const Totals totals = TotalsOf(topic);
  table.AddRow({topic.topic, "all", "", "", "", absl::StrCat(totals.segments),
                HumanBytes(totals.batch_bytes), HumanBytes(totals.disk_bytes),
                "", StatTimeText(totals.oldest_time),
                StatTimeText(totals.newest_time), UnsyncedText(totals.holding),
                PinsText(totals.holding)});
}

// "orders  zstd", of the topics that do not keep batches as they come; nothing
// without any.
std::string CompressionText(const StoreStat& stat) {
  // Partitions that were asked for one by one are topics of their own here.
  std::map<std::string, std::string> types;
  for (const TopicStat& topic : stat.topics) {
    if (topic.compression_type.has_value() &&
        topic.compression_type != kDefaultCompressionType) {
      types[topic.topic] = *topic.compression_type;
    }
  }
  if (types.empty()) return "";
  TextTable table({{.title = "TOPIC"}, {.title = "COMPRESSION.TYPE"}});
  for (const auto& [topic, type] : types) table.AddRow({topic, type});
  return absl::StrCat("\n", table.ToString());
}

// The partitions of topics that are compacted; nothing without any.
std::string CompactionText(const StoreStat& stat) {
  TextTable table({{.title = "TOPIC"},
                   {.title = "PARTITION", .align = Align::kRight},
                   {.title = "CLEAN END", .align = Align::kRight},
                   {.title = "CLEAN", .align = Align::kRight},
                   {.title = "DIRTY", .align = Align::kRight},
                   {.title = "DIRTY RATIO", .align = Align::kRight},
                   {.title = "DUE ABOVE", .align = Align::kRight}});
  bool any = false;
  for (const TopicStat& topic : stat.topics) {
    if (!topic.min_dirty_ratio.has_value()) continue;
    for (const PartitionStat& partition : topic.partitions) {
      any = true;
      const PartitionStats& stats = partition.stats;
      table.AddRow({topic.topic, absl::StrCat(partition.partition),
                    absl::StrCat(stats.clean_end),
                    HumanBytes(stats.clean_bytes),
                    HumanBytes(stats.dirty_bytes),
                    absl::StrFormat("%.2f", stats.dirty_ratio()),
                    absl::StrFormat("%.2f", *topic.min_dirty_ratio)});
    }
  }
  return any ? absl::StrCat("\n", table.ToString()) : "";
}

void SetCompaction(Json& json, const TopicStat& topic,
                   const PartitionStats& stats) {
  if (!topic.min_dirty_ratio.has_value()) {
    for (const char* name :
         {"clean_end", "clean_bytes", "dirty_bytes", "dirty_ratio"}) {
      json[name] = nullptr;
    }
    return;
  }
  json["clean_end"] = stats.clean_end;
  json["clean_bytes"] = stats.clean_bytes;
  json["dirty_bytes"] = stats.dirty_bytes;
  json["dirty_ratio"] = stats.dirty_ratio();
}

Json TimeJson(std::optional<absl::Time> time) {
  if (!time.has_value()) return nullptr;
  return absl::ToUnixMillis(*time);
}

void SetHolding(Json& json, const std::optional<Holding>& holding) {
  if (!holding.has_value()) {
    for (const char* name : {"unsynced_bytes", "pins", "pinned_deleted_bytes",
                             "pinned_deleted_seconds"}) {
      json[name] = nullptr;
    }
    return;
  }
  json["unsynced_bytes"] = holding->unsynced_bytes;
  json["pins"] = holding->pins;
  json["pinned_deleted_bytes"] = holding->pinned_deleted_bytes;
  json["pinned_deleted_seconds"] = holding->pinned_deleted_seconds;
}

Json CompressionJson(const TopicStat& topic) {
  if (!topic.compression_type.has_value()) return nullptr;
  return *topic.compression_type;
}

Json TotalsJson(const TopicStat& topic) {
  const Totals totals = TotalsOf(topic);
  Json json = {{"offsets", totals.records},
               {"segments", totals.segments},
               {"batch_bytes", totals.batch_bytes},
               {"disk_bytes", totals.disk_bytes},
               {"oldest_time_ms", TimeJson(totals.oldest_time)},
               {"newest_time_ms", TimeJson(totals.newest_time)}};
  SetHolding(json, totals.holding);
  return json;
}

}  // namespace

std::string StatTimeText(std::optional<absl::Time> time) {
  if (!time.has_value()) return "-";
  return absl::StrCat(
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3S", *time, absl::UTCTimeZone()), "Z");
}

std::string EpochText(const PartitionStats& stats) {
  return stats.epochs.empty() ? "-" : absl::StrCat(stats.epochs.back().epoch);
}

std::string ToText(const StoreStat& stat) {
  TextTable table({{.title = "TOPIC"},
                   {.title = "PARTITION", .align = Align::kRight},
                   {.title = "LOG START", .align = Align::kRight},
                   {.title = "DURABLE END", .align = Align::kRight},
                   {.title = "VISIBLE END", .align = Align::kRight},
                   {.title = "SEGMENTS", .align = Align::kRight},
                   {.title = "BATCHES", .align = Align::kRight},
                   {.title = "ON DISK", .align = Align::kRight},
                   {.title = "EPOCH", .align = Align::kRight},
                   {.title = "OLDEST"},
                   {.title = "NEWEST"},
                   {.title = "UNSYNCED", .align = Align::kRight},
                   {.title = "PINS"}});
  for (const TopicStat& topic : stat.topics) AddRows(topic, table);
  return absl::StrCat("at      ", StatTimeText(stat.taken_at), "\nwriter  ",
                      stat.writer.ToText(), "\n\n", table.ToString(),
                      CompressionText(stat), CompactionText(stat));
}

Json ToJson(int32_t partition, const PartitionStats& stats) {
  Json epochs = Json::array();
  for (const LeaderEpoch& epoch : stats.epochs) {
    epochs.push_back(
        {{"epoch", epoch.epoch}, {"start_offset", epoch.start_offset}});
  }
  return {{"partition", partition},
          {"log_start", stats.log_start},
          {"durable_end", stats.durable_end},
          {"visible_end", stats.visible_end},
          {"segments", stats.segments},
          {"batch_bytes", stats.batch_bytes},
          {"disk_bytes", stats.disk_bytes},
          {"epochs", std::move(epochs)},
          {"oldest_time_ms", TimeJson(stats.oldest_time)},
          {"newest_time_ms", TimeJson(stats.newest_time)}};
}

Json ToJson(const StoreStat& stat) {
  Json topics = Json::array();
  for (const TopicStat& topic : stat.topics) {
    Json partitions = Json::array();
    for (const PartitionStat& partition : topic.partitions) {
      Json json = ToJson(partition.partition, partition.stats);
      SetCompaction(json, topic, partition.stats);
      SetHolding(json, partition.holding);
      partitions.push_back(std::move(json));
    }
    topics.push_back({{"topic", topic.topic},
                      {"compression_type", CompressionJson(topic)},
                      {"totals", TotalsJson(topic)},
                      {"partitions", std::move(partitions)}});
  }
  Json age = nullptr;
  if (stat.writer.snapshot_age.has_value())
    age = absl::ToDoubleSeconds(*stat.writer.snapshot_age);
  Json refuses = nullptr;
  if (stat.writer.refuses_appends.has_value())
    refuses = *stat.writer.refuses_appends;
  return {{"taken_at_ms", absl::ToUnixMillis(stat.taken_at)},
          {"writer", stat.writer.has_writer() ? "open" : "none"},
          {"writer_known", stat.writer.is_known()},
          {"snapshot_age_seconds", std::move(age)},
          {"refuses_appends", std::move(refuses)},
          {"topics", std::move(topics)}};
}

}  // namespace varve
