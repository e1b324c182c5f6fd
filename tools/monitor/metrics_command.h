// SPDX-License-Identifier: Apache-2.0

// varve metrics: the counts of a live store, from its last snapshot.

#ifndef VARVE_TOOLS_MONITOR_METRICS_COMMAND_H_
#define VARVE_TOOLS_MONITOR_METRICS_COMMAND_H_

#include "CLI/CLI.hpp"
#include "varve/tools/shell/command_line.h"

namespace varve {

void AddMetricsCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_MONITOR_METRICS_COMMAND_H_
