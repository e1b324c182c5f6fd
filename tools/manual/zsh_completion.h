// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_MANUAL_ZSH_COMPLETION_H_
#define VARVE_TOOLS_MANUAL_ZSH_COMPLETION_H_

#include <string>

#include "varve/tools/manual/command_tree.h"

namespace varve {

// A script for zsh that completes what BashCompletion does, and shows what each
// command and option is for.
std::string ZshCompletion(const Command& program);

}  // namespace varve

#endif  // VARVE_TOOLS_MANUAL_ZSH_COMPLETION_H_
