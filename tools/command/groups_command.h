// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_GROUPS_COMMAND_H_
#define VARVE_TOOLS_COMMAND_GROUPS_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// varve groups list | describe | reset | delete. `line` must outlive the
// parsing and the run.
void AddGroupsCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_GROUPS_COMMAND_H_
