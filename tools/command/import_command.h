// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_IMPORT_COMMAND_H_
#define VARVE_TOOLS_COMMAND_IMPORT_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// Adds `varve import`.
void AddImportCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_IMPORT_COMMAND_H_
