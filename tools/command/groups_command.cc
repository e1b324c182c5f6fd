// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/groups_command.h"

#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/committed_offset.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/tools/command/groups_reset.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/text_table.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

// The offsets of a group to act on: of all topics, of one, of one partition.
struct Selection {
  std::string group;
  std::optional<std::string> topic;
  std::optional<int32_t> partition;
};

using GroupRun = std::function<absl::Status(const ReadOnlyStore& store,
                                            std::string& output)>;

std::string Shown(std::string_view text) {
  return absl::Utf8SafeCHexEscape(text);
}

// Runs `run` on the store, open to read only, whether or not it has a writer;
// prints its output when all succeeded.
int WithStoreReadOnly(const GlobalOptions& global, const GroupRun& run) {
  auto store = OpenStoreReadOnly(global);
  if (!store.ok()) return FailWith(store.status());
  std::string output;
  absl::Status status = run(**store, output);
  if (!status.ok()) return FailWith(status);
  std::cout << output;
  return kExitSuccess;
}

std::string Number(std::optional<int64_t> number) {
  return number.has_value() ? absl::StrCat(*number) : "-";
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

int64_t TotalLag(const std::vector<GroupOffset>& offsets) {
  int64_t lag = 0;
  for (const GroupOffset& offset : offsets) lag += offset.lag().value_or(0);
  return lag;
}

absl::Status List(const ReadOnlyStore& store, bool as_json,
                  std::string& output) {
  const auto groups = store.DescribeGroups();
  if (!groups.ok()) return groups.status();
  TextTable table({{.title = "GROUP"},
                   {.title = "PARTITIONS", .align = Align::kRight},
                   {.title = "LAG", .align = Align::kRight}});
  Json list = Json::array();
  for (const auto& [group, offsets] : *groups) {
    const int64_t lag = TotalLag(offsets);
    table.AddRow(
        {Shown(group), absl::StrCat(offsets.size()), absl::StrCat(lag)});
    list.push_back(
        {{"group", group}, {"partitions", offsets.size()}, {"lag", lag}});
  }
  if (as_json) {
    output = ToLine(list) + "\n";
  } else if (groups->empty()) {
    std::cerr << "varve: no group has committed an offset yet\n";
  } else {
    output = table.ToString();
  }
  return absl::OkStatus();
}

std::string DescriptionText(const std::vector<GroupOffset>& offsets) {
  TextTable table({{.title = "TOPIC"},
                   {.title = "PARTITION", .align = Align::kRight},
                   {.title = "OFFSET", .align = Align::kRight},
                   {.title = "START", .align = Align::kRight},
                   {.title = "END", .align = Align::kRight},
                   {.title = "LAG", .align = Align::kRight},
                   {.title = "EPOCH", .align = Align::kRight},
                   {.title = "COMMITTED"},
                   {.title = "METADATA"}});
  for (const GroupOffset& offset : offsets) {
    table.AddRow(
        {offset.partition.topic, absl::StrCat(offset.partition.partition),
         absl::StrCat(offset.committed.offset), Number(offset.log_start),
         Number(offset.log_end), Number(offset.lag()),
         absl::StrCat(offset.committed.leader_epoch),
         TimeText(offset.committed.commit_time),
         Shown(offset.committed.metadata)});
  }
  return table.ToString();
}

Json DescriptionJson(const std::string& group,
                     const std::vector<GroupOffset>& offsets) {
  Json list = Json::array();
  for (const GroupOffset& offset : offsets) {
    Json one = {
        {"topic", offset.partition.topic},
        {"partition", offset.partition.partition},
        {"offset", offset.committed.offset},
        {"log_start", NumberJson(offset.log_start)},
        {"log_end", NumberJson(offset.log_end)},
        {"lag", NumberJson(offset.lag())},
        {"leader_epoch", offset.committed.leader_epoch},
        {"commit_timestamp", absl::ToUnixMillis(offset.committed.commit_time)}};
    SetBytes(one, "metadata", offset.committed.metadata);
    list.push_back(std::move(one));
  }
  return {{"group", group}, {"offsets", std::move(list)}};
}

std::string Description(const std::string& group,
                        const std::vector<GroupOffset>& offsets, bool as_json) {
  return as_json ? ToLine(DescriptionJson(group, offsets)) + "\n"
                 : DescriptionText(offsets);
}

absl::Status Describe(const ReadOnlyStore& store, const std::string& group,
                      bool as_json, std::string& output) {
  auto offsets = store.DescribeGroup(group);
  if (!offsets.ok()) return offsets.status();
  output = Description(group, *offsets, as_json);
  return absl::OkStatus();
}

absl::Status DeleteIn(LogStore& store, const Selection& what, bool as_json,
                      std::string& output) {
  auto offsets = store.DescribeGroup(what.group);
  if (!offsets.ok()) return offsets.status();
  std::vector<TopicPartition> partitions;
  for (const GroupOffset& offset : *offsets) {
    const TopicPartition& partition = offset.partition;
    if (what.topic.value_or(partition.topic) != partition.topic) continue;
    if (what.partition.value_or(partition.partition) != partition.partition)
      continue;
    partitions.push_back(partition);
  }
  if (partitions.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "group \"", Shown(what.group), "\" has committed nothing of ",
        *what.topic, "; \"varve groups describe\" shows what it has"));
  }
  absl::Status status = store.DeleteOffsets(what.group, partitions);
  if (!status.ok()) return status;
  const auto count = static_cast<int64_t>(partitions.size());
  output = as_json ? ToLine({{"group", what.group}, {"deleted", count}}) + "\n"
                   : absl::StrCat("deleted ", CountOf(count, "offset"),
                                  " of group ", Shown(what.group), "\n");
  return absl::OkStatus();
}

int Delete(const GlobalOptions& global, const Selection& what) {
  auto store = OpenStoreToChange(
      global,
      {.what = "a group's offsets", .function = "LogStore::DeleteOffsets"});
  if (!store.ok()) return FailWith(store.status());
  std::string output;
  absl::Status status = DeleteIn(**store, what, global.json, output);
  status.Update((*store)->Close());
  if (!status.ok()) return FailWith(status);
  std::cout << output;
  return kExitSuccess;
}

void AddList(CLI::App& groups, CommandLine& line) {
  CLI::App* list = groups.add_subcommand("list", "show all groups");
  list->fallthrough();
  list->footer("Runs beside a program that has the store open.");
  list->callback([&line] {
    line.run = [&line] {
      return WithStoreReadOnly(
          line.global, [&](const ReadOnlyStore& store, std::string& output) {
            return List(store, line.global.json, output);
          });
    };
  });
}

void AddDescribe(CLI::App& groups, CommandLine& line) {
  auto what = std::make_shared<Selection>();
  CLI::App* describe = groups.add_subcommand(
      "describe", "show a group's offsets, and how far behind they are");
  describe->fallthrough();
  describe->add_option("GROUP", what->group, "the group")->required();
  describe->footer("Runs beside a program that has the store open.");
  describe->callback([&line, what] {
    line.run = [&line, what] {
      return WithStoreReadOnly(
          line.global, [&](const ReadOnlyStore& store, std::string& output) {
            return Describe(store, what->group, line.global.json, output);
          });
    };
  });
}

void AddDelete(CLI::App& groups, CommandLine& line) {
  auto what = std::make_shared<Selection>();
  CLI::App* remove =
      groups.add_subcommand("delete", "forget what a group committed");
  remove->fallthrough();
  remove->add_option("GROUP", what->group, "the group")->required();
  CLI::Option* topic =
      remove->add_option("--topic", what->topic, "for this topic alone (all)")
          ->type_name("TOPIC");
  AddNumber32(
      *remove, "--partition",
      [what](int32_t number) { what->partition = number; },
      "for this partition alone (all)")
      ->needs(topic);
  remove->callback([&line, what] {
    line.run = [&line, what] { return Delete(line.global, *what); };
  });
}

}  // namespace

void AddGroupsCommand(CLI::App& app, CommandLine& line) {
  CLI::App* groups = app.add_subcommand(
      "groups", "consumer groups: list, describe, reset, delete");
  groups->fallthrough();
  // A topic or a group may have the name of a command.
  groups->require_subcommand(0, 1);
  AddList(*groups, line);
  AddDescribe(*groups, line);
  AddGroupsReset(*groups, line);
  AddDelete(*groups, line);
}

}  // namespace varve
