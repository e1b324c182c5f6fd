// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/import_command.h"

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
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/import/broker_import.h"
#include "varve/api/import/import_report.h"
#include "varve/api/store_copy.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/metadata/log_config.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/config_argument.h"
#include "varve/tools/shell/config_warning.h"
#include "varve/tools/shell/copy_progress.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

struct CommandOptions {
  std::string broker;
  std::vector<std::string> topics;
  std::vector<std::string> configs;  // "name=value"
  bool keep_damage = false;
};

absl::StatusOr<LogConfig> ConfigOf(const CommandOptions& options) {
  LogConfig config;
  for (const std::string& text : options.configs) {
    absl::StatusOr<std::pair<std::string, std::string>> parts =
        ParseConfigArgument(text);
    if (!parts.ok()) return parts.status();
    absl::Status status = config.Set(parts->first, parts->second);
    if (!status.ok()) return status;
  }
  return config;
}

struct Totals {
  int64_t partitions = 0;
  int64_t records = 0;
  int64_t copied_bytes = 0;
  int64_t kept_bytes = 0;
};

Totals TotalsOf(const ImportedTopic& topic) {
  Totals totals = {.partitions = std::ssize(topic.partitions)};
  for (const ImportedPartition& partition : topic.partitions) {
    totals.records += partition.records;
    totals.copied_bytes += partition.copied_bytes;
    totals.kept_bytes += partition.kept_bytes;
  }
  return totals;
}

Json ToJson(const ImportedTopic& topic) {
  Json partitions = Json::array();
  for (const ImportedPartition& partition : topic.partitions) {
    partitions.push_back({{"partition", partition.partition},
                          {"log_start", partition.log_start},
                          {"end_offset", partition.end_offset},
                          {"segments", partition.segments},
                          {"records", partition.records},
                          {"copied_bytes", partition.copied_bytes},
                          {"kept_bytes", partition.kept_bytes}});
  }
  return {{"topic", topic.name},
          {"id", topic.id.ToText()},
          {"imported", topic.outcome == ImportOutcome::kImported},
          {"partitions", std::move(partitions)},
          {"groups", topic.groups},
          {"committed_offsets", topic.committed_offsets}};
}

void PrintJson(const ImportReport& report, const std::string& broker) {
  Json topics = Json::array();
  for (const ImportedTopic& topic : report.topics)
    topics.push_back(ToJson(topic));
  Json json = Json::object();
  SetBytes(json, "store", report.store);
  SetBytes(json, "broker", broker);
  json["ok"] = report.damage.empty();
  json["damage"] = report.damage;
  json["notes"] = report.notes;
  json["topics"] = std::move(topics);
  std::cout << ToLine(json) << "\n";
}

void PrintText(const ImportReport& report, const std::string& broker,
               absl::Duration time) {
  for (const std::string& damage : report.damage)
    std::cout << absl::StrCat("DAMAGE  ", damage, "\n");
  int64_t bytes = 0;
  for (const ImportedTopic& topic : report.topics) {
    if (topic.outcome == ImportOutcome::kWasThere) {
      std::cout << absl::StrCat(topic.name, ": was imported before\n");
      continue;
    }
    const Totals totals = TotalsOf(topic);
    bytes += totals.copied_bytes;
    std::cout << absl::StrCat(
        topic.name, ": ", CountOf(totals.partitions, "partition"), ", ",
        CountOf(totals.records, "record"), ", ",
        HumanBytes(totals.copied_bytes), " copied, ",
        HumanBytes(totals.kept_bytes), " kept, ",
        CountOf(topic.committed_offsets, "committed offset"), "\n");
  }
  std::cout << absl::StrCat(
      report.store, ": has ", CountOf(std::ssize(report.topics), "topic"),
      " of ", broker, ", all checked, in ", HumanTime(time),
      bytes == 0 ? "" : absl::StrCat(", ", HumanRate(bytes, time), "B/s"),
      "\n");
}

// Adds the option that would have helped.
absl::Status WithOption(const absl::Status& status) {
  if (!IsRefusedForDamage(status)) return status;
  return absl::Status(status.code(),
                      absl::StrCat(status.message(), " (--keep-damage)"));
}

absl::StatusOr<ImportReport> ImportWithProgress(const CommandOptions& options,
                                                const LogConfig& config,
                                                const std::string& store) {
  CopyProgress progress;
  ImportOptions how = {
      .topics = options.topics, .config = config, .codecs = AllCodecs()};
  if (options.keep_damage) how.damage = DamagedSource::kCopy;
  how.progress = [&progress](const ImportProgressNow& now) {
    progress.Show(now.topic,
                  {.done = now.done_bytes, .total = now.total_bytes});
  };
  return ImportBroker({.broker = options.broker, .store = store}, how);
}

int Run(const CommandOptions& options, const GlobalOptions& global) {
  if (absl::Status status = CheckDataDirectory(global); !status.ok())
    return UsageError(status.message());
  const absl::StatusOr<LogConfig> config = ConfigOf(options);
  if (!config.ok()) return FailWith(config.status());
  const absl::Time begin = absl::Now();
  const absl::StatusOr<ImportReport> report =
      ImportWithProgress(options, *config, global.data);
  if (!report.ok()) return FailWith(WithOption(report.status()));
  for (const std::string& note : report->notes) PrintError(note);
  for (const ImportedTopic& topic : report->topics) {
    if (topic.outcome == ImportOutcome::kImported)
      PrintConfigWarnings(topic.name, *config);
  }
  if (global.json) {
    PrintJson(*report, options.broker);
  } else {
    PrintText(*report, options.broker, absl::Now() - begin);
  }
  return kExitSuccess;
}

}  // namespace

void AddImportCommand(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<CommandOptions>();
  CLI::App* command = app.add_subcommand(
      "import", "take topics over from a Kafka broker's directory");
  command
      ->add_option("DIR", options->broker,
                   "the broker's log directory: one of its log.dirs")
      ->required()
      ->type_name("");
  command
      ->add_option("TOPIC", options->topics,
                   "topics to import; all but internal ones if there is none")
      ->type_name("");
  command
      ->add_option("--config", options->configs,
                   "a config of the topics, by Kafka's name; a broker's "
                   "directory does not have theirs")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_flag("--keep-damage", options->keep_damage,
                    "import damaged records as they are, and list them");
  command->footer(
      "The broker must be stopped; nothing in its directory is changed. "
      "Records keep their\n"
      "offsets, times, headers and batches; the offsets that groups have "
      "committed come with\n"
      "the topics. A topic appears in the store when it is whole. After an "
      "interruption, run it\n"
      "again, and it goes on. To read a broker's directory without importing "
      "it, say --data DIR\n"
      "to consume, topics, groups, stat or verify.");
  command->fallthrough();
  command->callback([&line, options] {
    line.run = [&line, options] { return Run(*options, line.global); };
  });
}

}  // namespace varve
