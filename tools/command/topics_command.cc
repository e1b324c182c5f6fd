// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/topics_command.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/tools/command/topic_details.h"
#include "varve/tools/command/topics_alter.h"
#include "varve/tools/command/topics_delete.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/config_argument.h"
#include "varve/tools/shell/config_warning.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/text_table.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

struct CreateOptions {
  std::string name;
  int32_t partitions = 1;
  std::vector<std::string> configs;  // "name=value"
};

absl::StatusOr<TopicConfig> ConfigOf(const CreateOptions& options) {
  TopicConfig config = {.partitions = options.partitions};
  for (const std::string& text : options.configs) {
    absl::StatusOr<std::pair<std::string, std::string>> parts =
        ParseConfigArgument(text);
    if (!parts.ok()) return parts.status();
    absl::Status status = config.log.Set(parts->first, parts->second);
    if (!status.ok()) return status;
  }
  absl::Status status = config.Validate();
  if (!status.ok()) return status;
  return config;
}

int Create(const GlobalOptions& global, const CreateOptions& options) {
  absl::StatusOr<TopicConfig> config = ConfigOf(options);
  if (!config.ok()) return FailWith(config.status());
  auto store = OpenStoreToChange(
      global,
      {.what = "the list of topics", .function = "LogStore::CreateTopic"},
      MissingStore::kCreate);
  if (!store.ok()) return FailWith(store.status());
  absl::Status status = (*store)->CreateTopic(options.name, *config);
  absl::Status closed = (*store)->Close();
  if (absl::IsAlreadyExists(status)) {
    PrintError(absl::StrCat(status.message(), "; \"varve topics describe ",
                            options.name, "\" shows it"));
    return kExitFailure;
  }
  if (!status.ok()) return FailWith(status);
  if (!closed.ok()) return FailWith(closed);
  PrintConfigWarnings(options.name, config->log);
  if (global.json) {
    std::cout << ToLine({{"topic", options.name},
                         {"partitions", options.partitions}})
              << "\n";
  } else {
    std::cout << absl::StrCat("created ", options.name, " with ",
                              CountOf(options.partitions, "partition"), "\n");
  }
  return kExitSuccess;
}

std::string ConfigText(const TopicDescription& topic) {
  if (topic.hosted.is_of_broker()) return "not known";
  std::string text;
  for (const auto& [name, value] : topic.config.log.NonDefault()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", name, "=", value);
  }
  return text;
}

void PrintList(const std::vector<TopicDescription>& topics) {
  TextTable table({{.title = "TOPIC"},
                   {.title = "PARTITIONS", .align = Align::kRight},
                   {.title = "ID"},
                   {.title = "CONFIG"}});
  for (const TopicDescription& topic : topics) {
    table.AddRow({topic.name, absl::StrCat(topic.partition_numbers().size()),
                  topic.id.ToText(), ConfigText(topic)});
  }
  std::cout << table.ToString();
}

Json ListJson(const std::vector<TopicDescription>& topics) {
  Json list = Json::array();
  for (const TopicDescription& topic : topics) {
    Json config = Json::object();
    for (const auto& [name, value] : topic.config.log.NonDefault()) {
      config[name] = value;
    }
    if (topic.hosted.is_of_broker()) config = nullptr;
    list.push_back({{"topic", topic.name},
                    {"id", topic.id.ToText()},
                    {"partitions", topic.partition_numbers().size()},
                    {"config", std::move(config)}});
  }
  return list;
}

int List(const GlobalOptions& global, bool include_internal) {
  auto store = OpenStoreReadOnly(global);
  if (!store.ok()) return FailWith(store.status());
  absl::StatusOr<std::vector<TopicDescription>> topics = (*store)->ListTopics();
  if (!topics.ok()) return FailWith(topics.status());
  if (!include_internal) {
    std::erase_if(*topics, [](const TopicDescription& topic) {
      return IsInternalTopicName(topic.name);
    });
  }
  if (global.json) {
    std::cout << ToLine(ListJson(*topics)) << "\n";
  } else if (topics->empty()) {
    std::cerr << "varve: there are no topics yet\n";
  } else {
    PrintList(*topics);
  }
  return kExitSuccess;
}

int Describe(const GlobalOptions& global, const std::string& name,
             ConfigsShown shown) {
  auto store = OpenStoreReadOnly(global);
  if (!store.ok()) return FailWith(store.status());
  absl::StatusOr<TopicDetails> details = DescribeTopic(**store, name);
  if (!details.ok()) return FailWith(details.status());
  std::cout << (global.json ? ToLine(ToJson(*details, shown)) + "\n"
                            : ToText(*details, shown));
  return kExitSuccess;
}

void AddCreate(CLI::App& topics, CommandLine& line) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App* create = topics.add_subcommand("create", "make a topic");
  create->fallthrough();
  create->add_option("NAME", options->name, "1 to 249 of a-z A-Z 0-9 . _ -")
      ->required();
  AddNumber32(
      *create, "--partitions",
      [options](int32_t number) { options->partitions = number; }, "how many")
      ->default_str("1");
  create
      ->add_option("--config", options->configs,
                   "one of Kafka's topic configs; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  create->footer(
      "Example:\n"
      "  varve topics create orders --partitions 4 --config "
      "segment.bytes=67108864\n"
      "The data directory is made if it is not there.");
  create->callback([&line, options] {
    line.run = [&line, options] { return Create(line.global, *options); };
  });
}

void AddDescribe(CLI::App& topics, CommandLine& line) {
  struct Options {
    std::string name;
    bool all = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* describe =
      topics.add_subcommand("describe", "show a topic and its partitions");
  describe->fallthrough();
  describe->add_option("NAME", options->name, "the topic")->required();
  describe->add_flag("--all", options->all,
                     "show every config, not only those set");
  describe->callback([&line, options] {
    line.run = [&line, options] {
      return Describe(
          line.global, options->name,
          options->all ? ConfigsShown::kAll : ConfigsShown::kNonDefault);
    };
  });
}

}  // namespace

void AddTopicsCommand(CLI::App& app, CommandLine& line) {
  CLI::App* topics =
      app.add_subcommand("topics", "create, list, describe, alter, delete");
  topics->fallthrough();
  AddCreate(*topics, line);
  CLI::App* list = topics->add_subcommand("list", "show all topics");
  list->fallthrough();
  auto include_internal = std::make_shared<bool>(false);
  list->add_flag("--include-internal", *include_internal,
                 "show topics of the store's own too, __consumer_offsets");
  list->footer(
      "Internal topics are left out unless asked for; Kafka's kafka-topics.sh "
      "shows them\nunless told to --exclude-internal.");
  list->callback([&line, include_internal] {
    line.run = [&line, include_internal] {
      return List(line.global, *include_internal);
    };
  });
  AddDescribe(*topics, line);
  AddTopicsAlter(*topics, line);
  AddTopicsDelete(*topics, line);
}

}  // namespace varve
