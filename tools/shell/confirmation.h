// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_CONFIRMATION_H_
#define VARVE_TOOLS_SHELL_CONFIRMATION_H_

#include <string_view>

#include "absl/status/status.h"

namespace varve {

// Asks a person on the terminal whether something that cannot be undone is
// meant: `what`, as in "delete orders with 3 records". For commands with an
// option --yes, which call it without that alone.
//
// Errors: InvalidArgument when stdin and stderr are no terminal to ask on;
// Cancelled when the answer is not yes.
absl::Status Confirm(std::string_view what);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_CONFIRMATION_H_
