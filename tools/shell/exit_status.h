// SPDX-License-Identifier: Apache-2.0

// The programs' exit statuses, and how they report errors: one line on stderr,
// "varve: THING: REASON; WAY OUT".

#ifndef VARVE_TOOLS_SHELL_EXIT_STATUS_H_
#define VARVE_TOOLS_SHELL_EXIT_STATUS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace varve {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;  // the job failed, or found damage
inline constexpr int kExitUsage = 2;    // the command line makes no sense

// Prints "varve: `message`" to stderr.
void PrintError(std::string_view message);

// How a line chooses the directory that it writes to, unless a command has
// another way: "choose another --data".
inline constexpr std::string_view kDataOption = "--data";

// Prints an error of the library. Returns kExitUsage for an argument that the
// library refuses, otherwise kExitFailure. `written` names the directory that
// the line writes to.
int FailWith(const absl::Status& status,
             std::string_view written = kDataOption);

// What FailWith prints: the status's message, which names the thing and the
// reason, and a way out if it names none.
std::string ErrorText(const absl::Status& status,
                      std::string_view written = kDataOption);

// Prints an error of a command line that was parsed and still makes no sense.
// Returns kExitUsage.
int UsageError(std::string_view message);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_EXIT_STATUS_H_
