// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_TRIM_COMMAND_H_
#define VARVE_TOOLS_COMMAND_TRIM_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// varve trim TOPIC[:PARTITION] --before OFFSET: deletes the first records of
// partitions, or says how much that would be. `line` must outlive the parsing
// and the run.
void AddTrimCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_TRIM_COMMAND_H_
