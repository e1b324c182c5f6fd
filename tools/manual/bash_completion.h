// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_MANUAL_BASH_COMPLETION_H_
#define VARVE_TOOLS_MANUAL_BASH_COMPLETION_H_

#include <string>

#include "varve/tools/manual/command_tree.h"

namespace varve {

// A script for bash that completes commands, options, their values, the names
// of topics and those of files.
std::string BashCompletion(const Command& program);

}  // namespace varve

#endif  // VARVE_TOOLS_MANUAL_BASH_COMPLETION_H_
