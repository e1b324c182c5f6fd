// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_TOPICS_DELETE_H_
#define VARVE_TOOLS_COMMAND_TOPICS_DELETE_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// `varve topics delete`: asks on a terminal, and requires --yes where there is
// none. Both arguments outlive the parsing of the line.
void AddTopicsDelete(CLI::App& topics, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_TOPICS_DELETE_H_
