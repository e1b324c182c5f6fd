// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/dump/store_dump.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/catalog/producer_ids_file.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/retention/retention_clock.h"
#include "varve/api/retention/retention_state.h"
#include "varve/tools/dump/dump_sink.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

Json EntryOf(const Topic& topic) {
  Json fields = {{"topic", topic.name},
                 {"partitions", topic.config.partitions},
                 {"topic_id", topic.id.ToText()}};
  const std::optional<int64_t> created_ms = topic.id.created_ms();
  if (created_ms.has_value()) fields["created"] = *created_ms;
  return fields;
}

}  // namespace

void DumpTopics(std::string_view text, DumpSink& sink) {
  const absl::StatusOr<TopicCatalog> catalog = TopicCatalog::FromText(text);
  if (!catalog.ok()) {
    sink.AddDamage(catalog.status().message());
    return;
  }
  int64_t entries = 0;
  for (const Topic& topic : catalog->topics()) {
    Json fields = EntryOf(topic);
    Json config = Json::object();
    for (const auto& [name, value] : topic.config.log.NonDefault()) {
      config[name] = value;
    }
    fields["config"] = std::move(config);
    if (topic.history == Continuity::kGapsAllowed) {
      fields["was_compacted"] = true;
    }
    sink.Add("topic", fields);
    ++entries;
  }
  for (const DeletedTopic& deleted : catalog->deleted()) {
    sink.Add("deleted", EntryOf(deleted.topic));
    ++entries;
  }
  sink.Add("end", {{"entries", entries}});
}

void DumpStoreCheckpoint(std::string_view text, DumpSink& sink) {
  const absl::StatusOr<StoreCheckpoint> checkpoint = ParseStoreCheckpoint(text);
  if (!checkpoint.ok()) {
    sink.AddDamage(checkpoint.status().message());
    return;
  }
  for (const auto& [partition, entry] : *checkpoint) {
    sink.Add("checkpoint", {{"topic", partition.first},
                            {"partition", partition.second},
                            {"log_start", entry.log_start},
                            {"recovery_point", entry.recovery_point}});
  }
  sink.Add("end", {{"entries", checkpoint->size()}});
}

void DumpRetentionState(std::string_view text, DumpSink& sink) {
  const absl::StatusOr<RetentionClock::State> state = ParseRetentionState(text);
  if (!state.ok()) {
    sink.AddDamage(state.status().message());
    return;
  }
  sink.Add("retention",
           {{"last_run", absl::ToUnixMillis(state->wall)},
            {"believed", absl::ToUnixMillis(state->believed)},
            {"doubted_for_ms", absl::ToInt64Milliseconds(state->doubted_for)}});
}

void DumpProducerIds(std::string_view text, DumpSink& sink) {
  const absl::StatusOr<int64_t> next_block = ParseProducerIds(text);
  if (!next_block.ok()) {
    sink.AddDamage(next_block.status().message());
    return;
  }
  sink.Add("producers", {{"next_block", *next_block}});
}

}  // namespace varve
