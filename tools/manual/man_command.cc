// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/manual/man_command.h"

#include <unistd.h>

#include <iostream>

#include "CLI/CLI.hpp"
#include "varve/api/version.h"
#include "varve/tools/manual/command_tree.h"
#include "varve/tools/manual/man_page.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {
namespace {

int Man(const CLI::App& app) {
  std::cout << ManPage(ReadCommandTree(app), Version());
  if (isatty(STDOUT_FILENO) == 1) {
    std::cerr << "varve: to read it: varve man | man -l -\n";
  }
  return kExitSuccess;
}

}  // namespace

void AddManCommand(CLI::App& app, CommandLine& line) {
  CLI::App* man =
      app.add_subcommand("man", "print the manual page, in roff for man(1)");
  man->fallthrough();
  man->footer(
      "It has what the help of all commands has.\n"
      "Examples:\n"
      "  varve man | man -l -\n"
      "  varve man > /usr/local/share/man/man1/varve.1");
  man->callback([&app, &line] { line.run = [&app] { return Man(app); }; });
}

}  // namespace varve
