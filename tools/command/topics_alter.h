// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_TOPICS_ALTER_H_
#define VARVE_TOOLS_COMMAND_TOPICS_ALTER_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// `varve topics alter`: changes configs, and adds partitions. Both arguments
// outlive the parsing of the line.
void AddTopicsAlter(CLI::App& topics, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_TOPICS_ALTER_H_
