// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/topics_alter.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/log_store.h"
#include "varve/api/topic_changes.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/config_argument.h"
#include "varve/tools/shell/config_warning.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

struct AlterOptions {
  std::string name;
  std::vector<std::string> configs;  // "name=value"
  std::vector<std::string> resets;
  std::optional<int32_t> partitions;
};

absl::StatusOr<TopicChanges> ChangesOf(const AlterOptions& options) {
  TopicChanges changes = {.reset = options.resets,
                          .partitions = options.partitions};
  for (const std::string& text : options.configs) {
    absl::StatusOr<std::pair<std::string, std::string>> config =
        ParseConfigArgument(text);
    if (!config.ok()) return config.status();
    changes.set.push_back(*std::move(config));
  }
  if (changes.set.empty() && changes.reset.empty() &&
      !options.partitions.has_value()) {
    return absl::InvalidArgumentError(
        "nothing to change: say --config, --reset-config or --partitions");
  }
  return changes;
}

void Print(const GlobalOptions& global, const TopicDescription& topic) {
  const auto configs = topic.config.log.NonDefault();
  if (global.json) {
    Json config = Json::object();
    for (const auto& [name, value] : configs) config[name] = value;
    std::cout << ToLine({{"topic", topic.name},
                         {"partitions", topic.config.partitions},
                         {"config", std::move(config)}})
              << "\n";
    return;
  }
  std::string text =
      absl::StrCat("altered ", topic.name, ": ",
                   CountOf(topic.config.partitions, "partition"));
  for (const auto& [name, value] : configs) {
    absl::StrAppend(&text, ", ", name, "=", value);
  }
  std::cout << text << "\n";
}

int Alter(const GlobalOptions& global, const AlterOptions& options) {
  absl::StatusOr<TopicChanges> changes = ChangesOf(options);
  if (!changes.ok()) return FailWith(changes.status());
  auto store =
      OpenStoreToChange(global, {.what = "a topic's configs and partitions",
                                 .function = "LogStore::AlterTopic"});
  if (!store.ok()) return FailWith(store.status());
  absl::Status status = (*store)->AlterTopic(options.name, *changes);
  const absl::StatusOr<TopicDescription> topic =
      (*store)->DescribeTopic(options.name);
  status.Update((*store)->Close());
  if (!status.ok()) return FailWith(status);
  if (!topic.ok()) return FailWith(topic.status());
  PrintConfigWarnings(options.name, topic->config.log);
  Print(global, *topic);
  return kExitSuccess;
}

}  // namespace

void AddTopicsAlter(CLI::App& topics, CommandLine& line) {
  auto options = std::make_shared<AlterOptions>();
  CLI::App* alter =
      topics.add_subcommand("alter", "change configs, add partitions");
  alter->fallthrough();
  alter->add_option("NAME", options->name, "the topic")->required();
  alter
      ->add_option("--config", options->configs,
                   "a config and its new value; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  alter
      ->add_option("--reset-config", options->resets,
                   "a config that gets its default again; may be repeated")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  AddNumber32(
      *alter, "--partitions",
      [options](int32_t number) { options->partitions = number; },
      "how many there are to be; they cannot become fewer");
  alter->footer(
      "Example:\n"
      "  varve topics alter orders --config retention.ms=86400000 "
      "--reset-config segment.bytes");
  alter->callback([&line, options] {
    line.run = [&line, options] { return Alter(line.global, *options); };
  });
}

}  // namespace varve
