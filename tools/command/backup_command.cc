// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/backup_command.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/store_backup.h"
#include "varve/api/store_copy.h"
#include "varve/codec/all_codecs.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/copy_progress.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

enum class Direction { kBackup, kRestore };

struct BackupOptions {
  std::vector<std::string> paths;  // as they stand on the line: one or two
  bool replace = false;
  bool keep_damage = false;
};

// The store is the path beside that of the backup, or --data.
BackupPaths PathsOf(Direction direction, const BackupOptions& options,
                    const GlobalOptions& global) {
  if (options.paths.size() == 1)
    return {.store = global.data, .backup = options.paths[0]};
  const bool store_is_first = direction == Direction::kBackup;
  return {.store = options.paths[store_is_first ? 0 : 1],
          .backup = options.paths[store_is_first ? 1 : 0]};
}

// How to choose another directory for the copy, as FailWith takes it.
std::string_view WrittenTo(Direction direction, const BackupOptions& options) {
  if (direction == Direction::kBackup) return "directory for the backup";
  return options.paths.size() == 1 ? kDataOption : "directory for the store";
}

// Adds the option that would have helped.
absl::Status WithOption(const absl::Status& status) {
  std::string_view option;
  if (absl::IsAlreadyExists(status)) option = "--replace";
  if (IsRefusedForDamage(status)) option = "--keep-damage";
  if (option.empty()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(status.message(), " (", option, ")"));
}

struct Totals {
  int64_t segments = 0;
  int64_t records = 0;
  int64_t copied_bytes = 0;
  int64_t kept_bytes = 0;
};

Totals TotalsOf(const StoreCopy& copy) {
  Totals totals;
  for (const CopiedPartition& partition : copy.partitions) {
    totals.segments += partition.segments;
    totals.records += partition.records;
    totals.copied_bytes += partition.copied_bytes;
    totals.kept_bytes += partition.kept_bytes;
  }
  return totals;
}

void PrintJson(const BackupPaths& paths, const StoreCopy& copy) {
  Json partitions = Json::array();
  for (const CopiedPartition& partition : copy.partitions) {
    partitions.push_back({{"topic", partition.name.topic},
                          {"partition", partition.name.partition},
                          {"log_start", partition.log_start},
                          {"end_offset", partition.end_offset},
                          {"segments", partition.segments},
                          {"records", partition.records},
                          {"copied_bytes", partition.copied_bytes},
                          {"kept_bytes", partition.kept_bytes}});
  }
  Json json = Json::object();
  SetBytes(json, "store", paths.store);
  SetBytes(json, "backup", paths.backup);
  json["ok"] = copy.damage.empty();
  json["damage"] = copy.damage;
  json["partitions"] = std::move(partitions);
  std::cout << ToLine(json) << "\n";
}

void PrintText(Direction direction, const BackupPaths& paths,
               const StoreCopy& copy, absl::Duration time) {
  for (const std::string& damage : copy.damage)
    std::cout << absl::StrCat("DAMAGE  ", damage, "\n");
  const Totals totals = TotalsOf(copy);
  const bool is_backup = direction == Direction::kBackup;
  std::cout << absl::StrCat(
      copy.path, is_backup ? ": a backup of " : ": restored from ",
      is_backup ? paths.store : paths.backup, "\n",
      CountOf(static_cast<int64_t>(copy.partitions.size()), "partition"), ", ",
      CountOf(totals.segments, "segment"), ", ",
      CountOf(totals.records, "record"), "; ", HumanBytes(totals.copied_bytes),
      " copied, ", HumanBytes(totals.kept_bytes), " kept, all verified, in ",
      HumanTime(time), "\n");
}

int Run(Direction direction, const BackupOptions& options,
        const GlobalOptions& global) {
  const BackupPaths paths = PathsOf(direction, options, global);
  // The message for a store that is not given names --data.
  const GlobalOptions store = {.data = paths.store, .json = global.json};
  if (absl::Status status = CheckDataDirectory(store); !status.ok())
    return UsageError(status.message());
  if (paths.backup.empty()) return UsageError("the backup's path is empty");
  CopyProgress progress;
  StoreCopyOptions how;
  how.codecs = AllCodecs();
  if (options.replace) how.existing = ExistingCopy::kReplace;
  if (options.keep_damage) how.damage = DamagedSource::kCopy;
  const bool is_backup = direction == Direction::kBackup;
  how.progress = [&](int64_t done, int64_t total) {
    progress.Show(is_backup ? "backup" : "restore",
                  {.done = done, .total = total});
  };
  const absl::Time begin = absl::Now();
  const absl::StatusOr<StoreCopy> copy =
      is_backup ? BackUpStore(paths, how) : RestoreStore(paths, how);
  progress.Clear();
  if (!copy.ok())
    return FailWith(WithOption(copy.status()), WrittenTo(direction, options));
  if (global.json) {
    PrintJson(paths, *copy);
  } else {
    PrintText(direction, paths, *copy, absl::Now() - begin);
  }
  return kExitSuccess;
}

void AddOptions(CLI::App* command,
                const std::shared_ptr<BackupOptions>& options,
                Direction direction, CommandLine& line) {
  command->fallthrough();
  command->add_flag("--keep-damage", options->keep_damage,
                    "copy damaged records as they are, and list them");
  command->callback([&line, options, direction] {
    line.run = [&line, options, direction] {
      return Run(direction, *options, line.global);
    };
  });
}

}  // namespace

void AddBackupCommands(CLI::App& app, CommandLine& line) {
  auto backed_up = std::make_shared<BackupOptions>();
  CLI::App* backup =
      app.add_subcommand("backup", "copy a store, also while it is written");
  backup
      ->add_option("DIR", backed_up->paths,
                   "the directory for the backup; before it the store's, if "
                   "that is not --data")
      ->required()
      ->expected(1, 2)
      ->type_name("");
  backup->add_flag("--replace", backed_up->replace,
                   "bring the backup that is there up to date: segments that "
                   "are the same stay");
  backup->footer(
      "Takes no lock, so it may run beside a writer. A group that goes on in "
      "the backup\n"
      "skips no record. The backup can be read (consume, verify, stat), and is "
      "not written:\n"
      "restore makes a store of it. What an interruption leaves is no store to "
      "anybody: run\n"
      "it again, and it goes on.");
  AddOptions(backup, backed_up, Direction::kBackup, line);

  auto restored = std::make_shared<BackupOptions>();
  CLI::App* restore = app.add_subcommand("restore", "make a store of a backup");
  restore
      ->add_option("DIR", restored->paths,
                   "the backup's directory; after it the store's, if that is "
                   "not --data")
      ->required()
      ->expected(1, 2)
      ->type_name("");
  restore->add_flag("--replace", restored->replace,
                    "replace the store that is there: what it has beyond the "
                    "backup is lost");
  restore->footer(
      "The store's directory must be empty, or not be there. Every byte is "
      "verified before\n"
      "it becomes a store; until then it is none to anybody: run it again "
      "after an\n"
      "interruption.");
  AddOptions(restore, restored, Direction::kRestore, line);
}

}  // namespace varve
