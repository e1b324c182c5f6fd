// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_GROUPS_RESET_H_
#define VARVE_TOOLS_COMMAND_GROUPS_RESET_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// `varve groups reset`: lets a group go on somewhere else, or says where that
// would be. Both arguments outlive the parsing of the line.
void AddGroupsReset(CLI::App& groups, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_GROUPS_RESET_H_
