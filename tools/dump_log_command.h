// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_DUMP_LOG_COMMAND_H_
#define VARVE_TOOLS_DUMP_LOG_COMMAND_H_

#include "CLI/CLI.hpp"
#include "tools/command_line.h"

namespace varve {

// varve dump-log FILE…: prints what is in files of a log, whoever wrote them.
// `line` must outlive the parsing and the run.
void AddDumpLogCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_LOG_COMMAND_H_
