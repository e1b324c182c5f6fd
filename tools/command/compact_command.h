// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_COMPACT_COMMAND_H_
#define VARVE_TOOLS_COMMAND_COMPACT_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// varve compact [TOPIC...]: compacts topics by key, or says how much would go.
// `line` must outlive the parsing and the run.
void AddCompactCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_COMPACT_COMMAND_H_
