// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_EXPORT_COMMAND_H_
#define VARVE_TOOLS_COMMAND_EXPORT_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// Adds `varve export DIR [TOPIC…]`.
void AddExportCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_EXPORT_COMMAND_H_
