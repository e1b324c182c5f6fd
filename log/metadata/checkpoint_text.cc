// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/checkpoint_text.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "varve/log/metadata/topic_name.h"

namespace varve {
namespace {

constexpr int kFirstEntryLine = 3;
constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr size_t kShownMax = 64;

absl::Status Damage(int line, std::string_view what) {
  return absl::DataLossError(absl::StrCat("line ", line, ": ", what));
}

std::string Shown(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShownMax)), "\"");
}

// Accepts only the text that printing the number gives again.
bool ParseNumber(std::string_view text, NumberRange range, int64_t& value) {
  return absl::SimpleAtoi(text, &value) && absl::StrCat(value) == text &&
         value >= range.min && value <= range.max;
}

absl::Status CheckHead(const std::vector<std::string_view>& lines,
                       int expected_version) {
  int64_t version = 0;
  if (!ParseNumber(lines[0], {0, kInt32Max}, version)) {
    return Damage(1,
                  absl::StrCat("the version is no number: ", Shown(lines[0])));
  }
  if (version != expected_version) {
    return Damage(1, absl::StrCat("version ", version,
                                  " is not the known one, ", expected_version));
  }
  if (lines.size() < 2) return Damage(2, "the number of entries is missing");
  int64_t count = 0;
  if (!ParseNumber(lines[1], {0, kInt32Max}, count)) {
    return Damage(2, absl::StrCat("the number of entries is no number: ",
                                  Shown(lines[1])));
  }
  const auto found = static_cast<int64_t>(lines.size()) - 2;
  if (count != found) {
    return Damage(2, absl::StrCat(count, " entries are announced, ", found,
                                  " are there"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string FormatCheckpoint(int version,
                             absl::Span<const std::string> entries) {
  std::string text = absl::StrCat(version, "\n", entries.size(), "\n");
  for (const std::string& entry : entries) {
    CHECK(!absl::StrContains(entry, '\n')) << absl::CHexEscape(entry);
    absl::StrAppend(&text, entry, "\n");
  }
  return text;
}

absl::StatusOr<std::vector<CheckpointEntry>> ParseCheckpoint(
    std::string_view text, CheckpointFormat format) {
  std::vector<CheckpointEntry> entries;
  if (text.empty()) return entries;
  std::vector<std::string_view> lines = absl::StrSplit(text, '\n');
  if (!lines.back().empty()) {
    return Damage(static_cast<int>(lines.size()),
                  "it does not end with a newline; the text is cut short");
  }
  lines.pop_back();
  absl::Status head = CheckHead(lines, format.version);
  if (!head.ok()) return head;
  for (size_t i = 2; i < lines.size(); ++i) {
    const int line = static_cast<int>(i - 2) + kFirstEntryLine;
    CheckpointEntry entry = {
        .fields =
            absl::StrSplit(lines[i], absl::ByAnyChar(" \t"), absl::SkipEmpty()),
        .line = line};
    if (entry.fields.size() != static_cast<size_t>(format.field_count)) {
      return Damage(line,
                    absl::StrCat(entry.fields.size(), " fields, not ",
                                 format.field_count, ": ", Shown(lines[i])));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

absl::StatusOr<int64_t> ParseCheckpointNumber(const CheckpointEntry& entry,
                                              int field, NumberRange range,
                                              std::string_view name) {
  CHECK_LT(static_cast<size_t>(field), entry.fields.size()) << name;
  const std::string_view text = entry.fields[static_cast<size_t>(field)];
  int64_t value = 0;
  if (ParseNumber(text, range, value)) return value;
  return Damage(entry.line,
                absl::StrCat("the ", name, " is no number from ", range.min,
                             " to ", range.max, ": ", Shown(text)));
}

std::string FormatOffsetCheckpoint(absl::Span<const PartitionOffset> entries) {
  std::vector<std::string> lines;
  lines.reserve(entries.size());
  for (const PartitionOffset& entry : entries) {
    lines.push_back(
        absl::StrCat(entry.topic, " ", entry.partition, " ", entry.offset));
  }
  return FormatCheckpoint(0, lines);
}

absl::StatusOr<std::vector<PartitionOffset>> ParseOffsetCheckpoint(
    std::string_view text) {
  absl::StatusOr<std::vector<CheckpointEntry>> lines =
      ParseCheckpoint(text, {.version = 0, .field_count = 3});
  if (!lines.ok()) return lines.status();
  std::vector<PartitionOffset> entries;
  std::set<std::pair<std::string_view, int64_t>> seen;
  for (const CheckpointEntry& line : *lines) {
    const std::string_view topic = line.fields[0];
    if (absl::Status valid = ValidateTopicName(topic); !valid.ok()) {
      return Damage(line.line, valid.message());
    }
    absl::StatusOr<int64_t> partition =
        ParseCheckpointNumber(line, 1, {0, kInt32Max}, "partition");
    if (!partition.ok()) return partition.status();
    absl::StatusOr<int64_t> offset =
        ParseCheckpointNumber(line, 2, {0, kInt64Max}, "offset");
    if (!offset.ok()) return offset.status();
    if (!seen.emplace(topic, *partition).second) {
      return Damage(line.line, absl::StrCat(topic, " ", *partition,
                                            " is listed a second time"));
    }
    entries.push_back({.topic = std::string(topic),
                       .partition = static_cast<int32_t>(*partition),
                       .offset = *offset});
  }
  return entries;
}

}  // namespace varve
