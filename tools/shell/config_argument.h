// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_CONFIG_ARGUMENT_H_
#define VARVE_TOOLS_SHELL_CONFIG_ARGUMENT_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace varve {

// Parses the value of --config: "name=value".
//
// Errors: InvalidArgument without a '='.
absl::StatusOr<std::pair<std::string, std::string>> ParseConfigArgument(
    const std::string& text);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_CONFIG_ARGUMENT_H_
