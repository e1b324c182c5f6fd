// SPDX-License-Identifier: Apache-2.0

// varve metrics: what a live store counts, from its last snapshot.

#ifndef VARVE_TOOLS_METRICS_COMMAND_H_
#define VARVE_TOOLS_METRICS_COMMAND_H_

#include "CLI/CLI.hpp"
#include "tools/command_line.h"

namespace varve {

void AddMetricsCommand(CLI::App& app, CommandLine& line);

}  // namespace varve

#endif  // VARVE_TOOLS_METRICS_COMMAND_H_
