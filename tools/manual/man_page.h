// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_MANUAL_MAN_PAGE_H_
#define VARVE_TOOLS_MANUAL_MAN_PAGE_H_

#include <string>
#include <string_view>

#include "varve/tools/manual/command_tree.h"

namespace varve {

// The manual page of the program, section 1, as man(1) reads it: every command
// with its arguments and options, and what its help says below them.
std::string ManPage(const Command& program, std::string_view version);

}  // namespace varve

#endif  // VARVE_TOOLS_MANUAL_MAN_PAGE_H_
