// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_QUICKSTART_QUICKSTART_DIRECTORY_H_
#define VARVE_TOOLS_QUICKSTART_QUICKSTART_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"

namespace varve {

// A directory for the quickstart's store: VARVE_DATA, if that is empty or not
// there; otherwise a new one below ${TMPDIR:-/tmp}.
//
// Errors: those of mkdtemp(3).
absl::StatusOr<std::string> ChooseQuickstartDirectory();

// What a power loss does to files in `path`, if that is more than usual: "a
// tmpfs, in memory: …"; otherwise empty.
std::string DurabilityCaveat(const std::string& path);

}  // namespace varve

#endif  // VARVE_TOOLS_QUICKSTART_QUICKSTART_DIRECTORY_H_
