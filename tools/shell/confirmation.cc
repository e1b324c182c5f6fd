// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/confirmation.h"

#include <unistd.h>

#include <iostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varve {

absl::Status Confirm(std::string_view what) {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, ": there is no terminal to ask on; --yes says that it is meant"));
  }
  std::cerr << absl::StrCat(what, "? [y/N] ") << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return absl::OkStatus();
  return absl::CancelledError("not done; nothing was changed");
}

}  // namespace varve
