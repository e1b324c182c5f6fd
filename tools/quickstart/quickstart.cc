// SPDX-License-Identifier: Apache-2.0

// The quickstart: real text written to a log, its writer killed, the log
// recovered, replayed and checked, in a few seconds.

#include <csignal>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/base/log_severity.h"
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/tools/quickstart/quickstart_directory.h"
#include "varve/tools/quickstart/quickstart_steps.h"
#include "varve/tools/quickstart/quickstart_text.h"
#include "varve/tools/shell/checked_output.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {
namespace {

int Run(int argc, char** argv) {
  CLI::App app(
      "Shows what varve does: writes text to a log, kills the writer, "
      "recovers, replays, checks.",
      "quickstart");
  std::vector<std::string> files;
  app.add_option("FILE", files,
                 "text to write; without any, what this machine has");
  app.footer(
      "The log goes to a new directory below ${TMPDIR:-/tmp}, or to "
      "VARVE_DATA if that is\nempty or not there.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return UsageError(absl::StrCat(error.what(), "; see quickstart --help"));
  }
  absl::StatusOr<QuickstartText> text =
      files.empty() ? QuickstartText::LoadFromThisMachine()
                    : QuickstartText::Load(files);
  if (!text.ok()) return FailWith(text.status());
  absl::StatusOr<std::string> directory = ChooseQuickstartDirectory();
  if (!directory.ok()) return FailWith(directory.status());
  QuickstartSteps steps(*text, *std::move(directory));
  absl::Status status = steps.Run();
  return status.ok() ? kExitSuccess : FailWith(status);
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  varve::HoldStandardDescriptors();
  varve::CheckedOutput output;
  // Errors are returned, and printed once.
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kFatal);
  absl::InitializeLog();
  try {
    return output.Finish(varve::Run(argc, argv));
  } catch (const std::exception& error) {
    varve::PrintError(error.what());
    return varve::kExitFailure;
  }
}
