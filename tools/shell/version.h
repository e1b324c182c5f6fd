// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_VERSION_H_
#define VARVE_TOOLS_SHELL_VERSION_H_

#include <string_view>

namespace varve {

// The output of `varve --version`; CHANGELOG.md says what is in it.
inline constexpr std::string_view kVersion = "0.1.0-dev";

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_VERSION_H_
