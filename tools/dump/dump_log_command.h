// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_DUMP_DUMP_LOG_COMMAND_H_
#define VARVE_TOOLS_DUMP_DUMP_LOG_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

// varve dump-log FILE…: prints the contents of files of a log, whichever
// program wrote them. `line` must outlive the parsing and the run.
void AddDumpLogCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_DUMP_LOG_COMMAND_H_
