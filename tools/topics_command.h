// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_TOPICS_COMMAND_H_
#define VARVE_TOOLS_TOPICS_COMMAND_H_

#include "CLI/CLI.hpp"
#include "tools/command_line.h"

namespace varve {

// varve topics create | list | describe. `line` must outlive the parsing and
// the run.
void AddTopicsCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_TOPICS_COMMAND_H_
