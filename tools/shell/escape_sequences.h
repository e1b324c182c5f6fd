// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_ESCAPE_SEQUENCES_H_
#define VARVE_TOOLS_SHELL_ESCAPE_SEQUENCES_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

// The byte that the escape sequence at `*at` in `text` stands for: \n, \t, \r,
// \\ itself, or \xNN with two hexadecimal digits. `*at` moves past it.
//
// Errors: InvalidArgument for any other one, with its place.
// Precondition: a backslash stands at `*at`.
absl::StatusOr<char> DecodeEscape(std::string_view text, size_t* at);

// `text` with every escape sequence replaced. Errors: those of DecodeEscape.
absl::StatusOr<std::string> DecodeEscapes(std::string_view text);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_ESCAPE_SEQUENCES_H_
