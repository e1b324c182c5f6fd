// SPDX-License-Identifier: Apache-2.0

// The command line of varve: topics, produce, consume, groups, trim, backup,
// restore, import, export, verify, dump-log, metrics, stat, and what says how
// it is used: completion, man.

#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/base/log_severity.h"
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "varve/api/version.h"
#include "varve/tools/command/backup_command.h"
#include "varve/tools/command/compact_command.h"
#include "varve/tools/command/consume_command.h"
#include "varve/tools/command/export_command.h"
#include "varve/tools/command/groups_command.h"
#include "varve/tools/command/import_command.h"
#include "varve/tools/command/produce_command.h"
#include "varve/tools/command/topics_command.h"
#include "varve/tools/command/trim_command.h"
#include "varve/tools/command/verify_command.h"
#include "varve/tools/commit.h"
#include "varve/tools/dump/dump_log_command.h"
#include "varve/tools/manual/completion_command.h"
#include "varve/tools/manual/man_command.h"
#include "varve/tools/monitor/metrics_command.h"
#include "varve/tools/monitor/stat_command.h"
#include "varve/tools/shell/checked_output.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {
namespace {

// The output of `varve --version`.
std::string VersionText() {
  const std::string version = absl::StrCat("varve ", Version());
  return Commit().empty() ? version
                          : absl::StrCat(version, " (", Commit(), ")");
}

void AddGlobalOptions(CLI::App& app, CommandLine& line) {
  app.add_option("--data", line.global.data, "the data directory of the store")
      ->envname("VARVE_DATA")
      ->type_name("DIR");
  app.add_flag("--json", line.global.json,
               "print JSON, for a machine; produce reads it, too");
  app.set_version_flag("--version", VersionText());
  app.footer(
      "Examples:\n"
      "  export VARVE_DATA=/tmp/log\n"
      "  varve topics create orders --partitions 4\n"
      "  varve produce orders --key-separator : < orders.txt\n"
      "  varve consume orders --partition 0 --offset 10 --count 5\n"
      "  varve verify\n"
      "One process writes a store at a time; list and describe of topics and "
      "groups,\n"
      "stat, consume, metrics, backup, export, verify, dump-log and trim "
      "--dry-run may\n"
      "run beside it.\n"
      "Exit status: 0 done, 1 failed or found damage, 2 not understood.");
}

// The parser's sentence as a part of ours, without its capital letter. A word
// in capitals, TOPIC, is a name as the help has it, and stays.
std::string Uncapitalized(std::string text) {
  const bool is_name = text.size() > 1 &&
                       absl::ascii_isupper(static_cast<unsigned char>(text[1]));
  if (!text.empty() && !is_name) {
    text[0] = absl::ascii_tolower(static_cast<unsigned char>(text[0]));
  }
  return text;
}

// The error in the line, in our words where the parser's are odd.
std::string Explain(const CLI::App& app, const CLI::ParseError& error) {
  // The parser lists them from the last to the first.
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return absl::StrCat("not understood: ",
                        absl::StrJoin(app.remaining(/*recurse=*/true), " "));
  }
  const std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr &&
      absl::EndsWith(text, " missing")) {
    return absl::StrCat(text.substr(0, text.find(':')),
                        ": its value is missing");
  }
  return Uncapitalized(text);
}

int Run(int argc, char** argv) {
  CLI::App app("Kafka's log in your process: look after a store of topics.",
               "varve");
  CommandLine line;
  // A topic may have the name of a command.
  app.require_subcommand(0, 1);
  AddGlobalOptions(app, line);
  AddTopicsCommand(app, line);
  AddProduceCommand(app, line);
  AddConsumeCommand(app, line);
  AddGroupsCommand(app, line);
  AddTrimCommand(app, line);
  AddCompactCommand(app, line);
  AddBackupCommands(app, line);
  AddImportCommand(app, line);
  AddExportCommand(app, line);
  AddVerifyCommand(app, line);
  AddDumpLogCommand(app, line);
  AddMetricsCommand(app, line);
  AddStatCommand(app, line);
  AddCompletionCommand(app, line);
  AddManCommand(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" too, of status 0.
    if (error.get_exit_code() == 0) return app.exit(error);
    return UsageError(absl::StrCat(Explain(app, error), "; see varve --help"));
  }
  if (!line.run) {
    return UsageError(
        "which command? varve --help, and varve topics --help, "
        "say what there is");
  }
  return line.run();
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  // The reader of our output may stop: that is an error of write(2), EPIPE.
  std::signal(SIGPIPE, SIG_IGN);
  varve::HoldStandardDescriptors();
  varve::CheckedOutput output;
  // Errors are returned, and printed once.
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kFatal);
  absl::InitializeLog();
  try {
    return output.Finish(varve::Run(argc, argv));
  } catch (const std::bad_alloc&) {
    varve::PrintError("out of memory");
  } catch (const std::exception& error) {
    varve::PrintError(error.what());
  }
  return varve::kExitFailure;
}
