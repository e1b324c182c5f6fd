// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_CONFIG_WARNING_H_
#define VARVE_TOOLS_SHELL_CONFIG_WARNING_H_

#include <string_view>

#include "varve/log/metadata/log_config.h"

namespace varve {

// Prints on stderr what a topic's config asks for and varve does not do, a line
// each.
void PrintConfigWarnings(std::string_view topic, const LogConfig& config);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_CONFIG_WARNING_H_
