// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/manual/completion_command.h"

#include <iostream>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "varve/tools/manual/bash_completion.h"
#include "varve/tools/manual/command_tree.h"
#include "varve/tools/manual/zsh_completion.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {
namespace {

int Completion(const CLI::App& app, const std::string& shell) {
  const Command program = ReadCommandTree(app);
  std::cout << (shell == "zsh" ? ZshCompletion(program)
                               : BashCompletion(program));
  return kExitSuccess;
}

}  // namespace

void AddCompletionCommand(CLI::App& app, CommandLine& line) {
  auto shell = std::make_shared<std::string>();
  CLI::App* completion = app.add_subcommand(
      "completion", "print a script that completes arguments in a shell");
  completion->fallthrough();
  completion->add_option("SHELL", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  completion->footer(
      "It completes commands, options, their values and names of topics; for "
      "those VARVE_DATA\n"
      "or --data has to name the store.\n"
      "Examples:\n"
      "  source <(varve completion bash)\n"
      "  varve completion bash > /etc/bash_completion.d/varve\n"
      "  varve completion zsh > \"${fpath[1]}/_varve\"");
  completion->callback([&app, &line, shell] {
    line.run = [&app, shell] { return Completion(app, *shell); };
  });
}

}  // namespace varve
