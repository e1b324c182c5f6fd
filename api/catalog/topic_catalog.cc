// SPDX-License-Identifier: Apache-2.0

#include "varve/api/catalog/topic_catalog.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "varve/api/topic_config.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {
namespace {

constexpr std::string_view kKind = "varve.topics";

// The first word of the line of a topic, and of that of a deleted one.
constexpr std::string_view kTopicEntry = "topic";
constexpr std::string_view kDeletedEntry = "deleted";

// The last word of the line of a topic that was compacted once, and the format
// version that has such lines. A catalog without such a line is of version 1.
constexpr std::string_view kWasCompacted = "was-compacted";
constexpr int kHistoryVersion = 2;

// Topics named in one message, at most.
constexpr int kNamesInMessage = 8;

// Kafka's metrics do not distinguish '.' from '_'.
std::string Folded(std::string_view name) {
  return absl::StrReplaceAll(name, {{".", "_"}});
}

std::string FormatEntry(std::string_view kind, const Topic& topic) {
  return absl::StrCat(kind, " ", topic.name, " ", topic.config.partitions, " ",
                      topic.id.ToText());
}

// Whether the config does not say itself that there may be gaps.
bool NeedsHistory(const Topic& topic) {
  return topic.continuity() != ContinuityOf(topic.config.log);
}

std::string FormatTopic(const Topic& topic) {
  std::string line = FormatEntry(kTopicEntry, topic);
  for (const auto& [name, value] : topic.config.log.NonDefault()) {
    absl::StrAppend(&line, " ", name, "=", value);
  }
  if (NeedsHistory(topic)) absl::StrAppend(&line, " ", kWasCompacted);
  return line;
}

// The configs of a deleted topic are not kept.
absl::StatusOr<Topic> ParseEntry(const std::vector<std::string_view>& fields) {
  const bool deleted = fields[0] == kDeletedEntry;
  if (fields.size() < 4 || (deleted && fields.size() > 4) ||
      (!deleted && fields[0] != kTopicEntry)) {
    return absl::DataLossError(
        "neither \"topic <name> <partitions> <id> [config=value]…\" nor "
        "\"deleted <name> <partitions> <id>\"");
  }
  Topic topic = {.name = std::string(fields[1]), .id = {}, .config = {}};
  if (!absl::SimpleAtoi(fields[2], &topic.config.partitions)) {
    return absl::DataLossError(
        absl::StrCat("partitions \"", fields[2], "\" is no number"));
  }
  absl::StatusOr<TopicId> id = TopicId::FromText(fields[3]);
  if (!id.ok()) return absl::DataLossError(id.status().message());
  if (id->is_none()) return absl::DataLossError("the topic id is all zeros");
  topic.id = *id;
  size_t end = fields.size();
  if (end > 4 && fields[end - 1] == kWasCompacted) {
    topic.history = Continuity::kGapsAllowed;
    --end;
  }
  for (size_t i = 4; i < end; ++i) {
    const std::pair<std::string_view, std::string_view> config =
        absl::StrSplit(fields[i], absl::MaxSplits('=', 1));
    absl::Status status = topic.config.log.Set(config.first, config.second);
    if (!status.ok()) return absl::DataLossError(status.message());
  }
  return topic;
}

}  // namespace

Continuity Topic::continuity() const {
  return history == Continuity::kGapsAllowed ? history
                                             : ContinuityOf(config.log);
}

bool Topic::Has(int32_t partition) const {
  return partition >= 0 && partition < config.partitions &&
         hosted.Has(partition);
}

std::vector<int32_t> Topic::PartitionNumbers() const {
  return hosted.NumbersOf(config.partitions);
}

absl::Status TopicCatalog::Add(Topic topic) {
  if (absl::Status status = ValidateTopicName(topic.name); !status.ok())
    return status;
  if (absl::Status status = topic.config.Validate(); !status.ok())
    return status;
  if (Find(topic.name) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat("topic \"", topic.name, "\" exists already"));
  }
  auto [other, added] = folded_names_.emplace(Folded(topic.name), topic.name);
  if (!added) {
    return absl::InvalidArgumentError(absl::StrCat(
        "topic \"", topic.name, "\" differs from \"", other->second,
        "\" only in '.' and '_', which Kafka does not tell apart: choose "
        "another name"));
  }
  std::string name = topic.name;
  topics_.emplace(std::move(name), std::move(topic));
  return absl::OkStatus();
}

absl::Status TopicCatalog::SetConfig(std::string_view name,
                                     const TopicConfig& config) {
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  if (absl::Status status = Get(name).status(); !status.ok()) return status;
  Topic& topic = topics_.find(name)->second;
  topic.history = topic.continuity();
  topic.config = config;
  return absl::OkStatus();
}

absl::StatusOr<Topic> TopicCatalog::Remove(std::string_view name) {
  if (absl::Status status = Get(name).status(); !status.ok()) return status;
  auto it = topics_.find(name);
  Topic topic = std::move(it->second);
  topics_.erase(it);
  folded_names_.erase(Folded(topic.name));
  deleted_.push_back({.topic = topic});
  return topic;
}

void TopicCatalog::NoteDirectoriesGone(TopicId id) {
  NoteGone(id, &DeletedTopic::has_directories);
}

void TopicCatalog::NoteOffsetsGone(TopicId id) {
  NoteGone(id, &DeletedTopic::has_offsets);
}

void TopicCatalog::NoteGone(TopicId id, bool DeletedTopic::*part) {
  for (DeletedTopic& deleted : deleted_) {
    if (deleted.topic.id == id) deleted.*part = false;
  }
  std::erase_if(deleted_, [](const DeletedTopic& deleted) {
    return !deleted.has_directories && !deleted.has_offsets;
  });
}

const Topic* TopicCatalog::Find(std::string_view name) const {
  auto it = topics_.find(name);
  return it == topics_.end() ? nullptr : &it->second;
}

absl::StatusOr<const Topic*> TopicCatalog::Get(std::string_view name) const {
  if (const Topic* topic = Find(name)) return topic;
  std::string there_are;
  int count = 0;
  for (const auto& [other, topic] : topics_) {
    if (++count > kNamesInMessage) break;
    absl::StrAppend(&there_are, count == 1 ? "" : ", ", other);
  }
  if (count > kNamesInMessage) absl::StrAppend(&there_are, ", …");
  return absl::NotFoundError(absl::StrCat(
      "there is no topic \"", name, "\"; ",
      topics_.empty() ? "there are none yet: create it first" : "topics: ",
      there_are));
}

std::string TopicCatalog::NameOf(TopicId id) const {
  for (const auto& [name, topic] : topics_) {
    if (topic.id == id) return name;
  }
  return "";
}

TopicId TopicCatalog::IdOf(std::string_view name) const {
  const Topic* const topic = Find(name);
  return topic == nullptr ? TopicId() : topic->id;
}

bool TopicCatalog::IsForgetting(std::string_view name, TopicId id) const {
  return std::any_of(
      deleted_.begin(), deleted_.end(), [&](const DeletedTopic& deleted) {
        return deleted.has_offsets && (id.is_none() ? deleted.topic.name == name
                                                    : deleted.topic.id == id);
      });
}

std::vector<Topic> TopicCatalog::topics() const {
  std::vector<Topic> topics;
  topics.reserve(topics_.size());
  for (const auto& [name, topic] : topics_) topics.push_back(topic);
  return topics;
}

std::string TopicCatalog::ToText() const {
  std::vector<std::string> lines;
  lines.reserve(topics_.size() + deleted_.size());
  int version = kStoreFormatVersion;
  for (const auto& [name, topic] : topics_) {
    lines.push_back(FormatTopic(topic));
    if (NeedsHistory(topic)) version = kHistoryVersion;
  }
  for (const DeletedTopic& deleted : deleted_) {
    lines.push_back(FormatEntry(kDeletedEntry, deleted.topic));
  }
  return FormatChecksummedText(kKind, lines, version);
}

absl::Status TopicCatalog::AddLine(std::string_view line) {
  const std::vector<std::string_view> fields = absl::StrSplit(line, ' ');
  absl::StatusOr<Topic> topic = ParseEntry(fields);
  if (!topic.ok()) return topic.status();
  if (fields[0] == kTopicEntry) return Add(*std::move(topic));
  if (absl::Status status = ValidateTopicName(topic->name); !status.ok())
    return status;
  if (absl::Status status = topic->config.Validate(); !status.ok())
    return status;
  deleted_.push_back({.topic = *std::move(topic)});
  return absl::OkStatus();
}

absl::StatusOr<TopicCatalog> TopicCatalog::FromText(std::string_view text) {
  absl::StatusOr<std::vector<std::string>> lines =
      ParseChecksummedText(kKind, text, kHistoryVersion);
  if (!lines.ok()) return lines.status();
  TopicCatalog catalog;
  int number = 1;
  for (const std::string& line : *lines) {
    ++number;
    if (absl::Status status = catalog.AddLine(line); !status.ok()) {
      return absl::DataLossError(
          absl::StrCat("line ", number, ": ", status.message()));
    }
  }
  return catalog;
}

}  // namespace varve
