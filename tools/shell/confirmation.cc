// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/confirmation.h"

#include <unistd.h>

#include <iostream>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace varve {

absl::StatusOr<Confirmation> Confirmation::Prepare(std::string_view what,
                                                   bool yes) {
  if (yes) return Confirmation(/*asks=*/false);
  if (isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1)
    return Confirmation(/*asks=*/true);
  return absl::InvalidArgumentError(absl::StrCat(
      what, ": there is no terminal to ask on; --yes says that it is meant"));
}

absl::Status Confirmation::Ask(std::string_view what) const {
  CHECK(asks_);
  std::cerr << absl::StrCat(what, "? [y/N] ") << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return absl::OkStatus();
  return absl::CancelledError("not done; nothing was changed");
}

}  // namespace varve
