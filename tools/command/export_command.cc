// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/export_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/export/broker_export.h"
#include "varve/api/export/export_report.h"
#include "varve/api/export/offsets_csv.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/tools/shell/command_line.h"
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
  std::string offsets;  // the file for them; empty: none
};

struct Totals {
  int64_t records = 0;
  int64_t copied_bytes = 0;
  int64_t kept_bytes = 0;
};

Totals TotalsOf(const ExportedTopic& topic) {
  Totals totals;
  for (const ExportedPartition& partition : topic.partitions) {
    totals.records += partition.records;
    totals.copied_bytes += partition.copied_bytes;
    totals.kept_bytes += partition.kept_bytes;
  }
  return totals;
}

std::set<std::string> GroupsOf(const ExportReport& report) {
  std::set<std::string> groups;
  for (const ExportedOffset& offset : report.offsets)
    groups.insert(offset.group);
  return groups;
}

// A word of a shell's command line.
std::string ShellWord(std::string_view text) {
  const bool is_plain = absl::c_all_of(text, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
           c == '_' || c == '-' || c == '/';
  });
  if (is_plain) return std::string(text);
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

Json ToJson(const ExportedTopic& topic) {
  Json partitions = Json::array();
  for (const ExportedPartition& partition : topic.partitions) {
    partitions.push_back({{"partition", partition.partition},
                          {"log_start", partition.log_start},
                          {"end_offset", partition.end_offset},
                          {"segments", partition.segments},
                          {"records", partition.records},
                          {"copied_bytes", partition.copied_bytes},
                          {"kept_bytes", partition.kept_bytes}});
  }
  Json json = {{"topic", topic.name},
               {"exported", topic.outcome == ExportOutcome::kExported},
               {"partitions", std::move(partitions)}};
  json["id"] = topic.id.is_none() ? Json() : Json(topic.id.ToText());
  return json;
}

void PrintJson(const ExportReport& report, const std::string& store) {
  Json topics = Json::array();
  for (const ExportedTopic& topic : report.topics)
    topics.push_back(ToJson(topic));
  Json offsets = Json::array();
  for (const ExportedOffset& offset : report.offsets) {
    offsets.push_back({{"group", offset.group},
                       {"topic", offset.partition.topic},
                       {"partition", offset.partition.partition},
                       {"offset", offset.offset}});
  }
  Json json = Json::object();
  SetBytes(json, "store", store);
  SetBytes(json, "directory", report.path);
  json["is_broker"] = report.kind == ExportKind::kBroker;
  json["notes"] = report.notes;
  json["topics"] = std::move(topics);
  json["offsets"] = std::move(offsets);
  std::cout << ToLine(json) << "\n";
}

// What is left to do about the offsets that groups have committed.
void PrintOffsets(const ExportReport& report, const std::string& file) {
  if (report.offsets.empty()) return;
  const std::set<std::string> groups = GroupsOf(report);
  const std::string what =
      absl::StrCat(CountOf(std::ssize(report.offsets), "committed offset"),
                   " of ", CountOf(std::ssize(groups), "group"));
  if (file.empty()) {
    std::cout << absl::StrCat(
        what,
        " did not come along: --offsets FILE writes them for "
        "kafka-consumer-groups.sh\n");
    return;
  }
  std::cout << absl::StrCat(
      file, ": ", what,
      "; when the broker runs:\n  kafka-consumer-groups.sh --bootstrap-server "
      "HOST:9092 --reset-offsets --from-file ",
      ShellWord(file), " --execute");
  for (const std::string& group : groups)
    std::cout << absl::StrCat(" --group ", ShellWord(group));
  std::cout << "\n";
}

void PrintText(const ExportReport& report, const std::string& offsets,
               absl::Duration time) {
  int64_t bytes = 0;
  for (const ExportedTopic& topic : report.topics) {
    if (topic.outcome == ExportOutcome::kWasThere) {
      std::cout << absl::StrCat(topic.name, ": was exported before\n");
      continue;
    }
    const Totals totals = TotalsOf(topic);
    bytes += totals.copied_bytes;
    std::cout << absl::StrCat(
        topic.name, ": ", CountOf(std::ssize(topic.partitions), "partition"),
        ", ", CountOf(totals.records, "record"), ", ",
        HumanBytes(totals.copied_bytes), " copied, ",
        HumanBytes(totals.kept_bytes), " kept\n");
  }
  std::cout << absl::StrCat(
      report.path, ": has ", CountOf(std::ssize(report.topics), "topic"),
      ", all checked, in ", HumanTime(time),
      bytes == 0 ? "" : absl::StrCat(", ", HumanRate(bytes, time), "B/s"),
      "\n");
  PrintOffsets(report, offsets);
}

// A broker runs as a user of its own, and reads only what that may read.
void WarnOfOwner(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0 || status.st_uid == geteuid()) return;
  PrintError(absl::StrCat(path, ": belongs to user ", status.st_uid,
                          ", and what was exported to user ", geteuid(),
                          ": give it to the broker's, with chown -R"));
}

absl::Status WriteOffsets(const ExportReport& report, const std::string& file) {
  if (file.empty()) return absl::OkStatus();
  const std::filesystem::path path(file);
  const std::string folder = path.parent_path().string();
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      FileSystem::Posix()->OpenDirectory(folder.empty() ? "." : folder);
  if (!directory.ok()) return directory.status();
  return ReplaceFile(**directory, path.filename().string(),
                     OffsetsCsv(report.offsets));
}

absl::StatusOr<ExportReport> ExportWithProgress(const CommandOptions& options,
                                                const std::string& store) {
  CopyProgress progress;
  ExportOptions how = {.topics = options.topics, .codecs = AllCodecs()};
  how.progress = [&progress](const ExportProgressNow& now) {
    progress.Show(now.topic,
                  {.done = now.done_bytes, .total = now.total_bytes});
  };
  return ExportToBroker({.store = store, .broker = options.broker}, how);
}

int Run(const CommandOptions& options, const GlobalOptions& global) {
  if (absl::Status status = CheckDataDirectory(global); !status.ok())
    return UsageError(status.message());
  const absl::Time begin = absl::Now();
  const absl::StatusOr<ExportReport> report =
      ExportWithProgress(options, global.data);
  if (!report.ok()) return FailWith(report.status(), "DIR");
  for (const std::string& note : report->notes) PrintError(note);
  WarnOfOwner(options.broker);
  absl::Status written = WriteOffsets(*report, options.offsets);
  if (!written.ok()) return FailWith(written, "--offsets");
  if (global.json) {
    PrintJson(*report, global.data);
  } else {
    PrintText(*report, options.offsets, absl::Now() - begin);
  }
  return kExitSuccess;
}

}  // namespace

void AddExportCommand(CLI::App& app, CommandLine& line) {
  auto options = std::make_shared<CommandOptions>();
  CLI::App* command = app.add_subcommand(
      "export", "make topics a Kafka broker's, in its directory");
  command
      ->add_option("DIR", options->broker,
                   "the broker's log directory: one of its log.dirs; or a "
                   "directory to copy from")
      ->required()
      ->type_name("");
  command
      ->add_option("TOPIC", options->topics,
                   "topics to export; all but internal ones if there is none")
      ->type_name("");
  command
      ->add_option("--offsets", options->offsets,
                   "write what groups have committed to this file, for "
                   "kafka-consumer-groups.sh")
      ->type_name("FILE");
  command->footer(
      "Create the topics at the broker first, with their configs and as many "
      "partitions, and\n"
      "stop it; run this as the broker's user. Nothing is replaced but empty "
      "partitions, and\n"
      "nothing in the store is changed, which may be in use. Records keep "
      "their offsets, times,\n"
      "headers and batches. After an interruption, run it again, and it goes "
      "on. The broker\n"
      "checks every batch when it is started. docs/kafka.md has both ways, "
      "step by step.");
  command->fallthrough();
  command->callback([&line, options] {
    line.run = [&line, options] { return Run(*options, line.global); };
  });
}

}  // namespace varve
