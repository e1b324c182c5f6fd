// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_CONFIRMATION_H_
#define VARVE_TOOLS_SHELL_CONFIRMATION_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace varve {

// How a command learns that something which cannot be undone is meant: its
// option --yes says so, or a person on the terminal does. A command has this
// before it opens the store, so that one which has nobody to ask takes no lock
// and recovers nothing.
class Confirmation {
 public:
  // `what`, as in "delete orders", is what an error begins with; `yes` is the
  // option.
  //
  // Errors: InvalidArgument without --yes, when stdin and stderr are no
  // terminal to ask on.
  static absl::StatusOr<Confirmation> Prepare(std::string_view what, bool yes);

  // Whether it is to be asked.
  bool asks() const { return asks_; }

  // Asks whether `what` is meant, as in "delete orders with 3 records".
  //
  // Precondition: `asks`.
  // Errors: Cancelled when the answer is not yes.
  absl::Status Ask(std::string_view what) const;

 private:
  explicit Confirmation(bool asks) : asks_(asks) {}

  bool asks_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_CONFIRMATION_H_
