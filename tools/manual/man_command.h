// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_MANUAL_MAN_COMMAND_H_
#define VARVE_TOOLS_MANUAL_MAN_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// varve man: prints the manual page of all commands that `app` has when it is
// run. Both arguments must outlive the parsing and the run.
void AddManCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_MANUAL_MAN_COMMAND_H_
