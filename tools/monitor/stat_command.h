// SPDX-License-Identifier: Apache-2.0

// varve stat: where each partition begins and ends, and its size.

#ifndef VARVE_TOOLS_MONITOR_STAT_COMMAND_H_
#define VARVE_TOOLS_MONITOR_STAT_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// `line` must outlive the parsing and the run.
void AddStatCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_MONITOR_STAT_COMMAND_H_
