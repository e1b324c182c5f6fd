// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMIT_H_
#define VARVE_TOOLS_COMMIT_H_

#include <string_view>

namespace varve {

// The commit that the program was built from: "17e1e1c5a0b2", or
// "17e1e1c5a0b2-dirty" when files of it were changed. Empty in a program that
// is not stamped, or was built outside of git.
std::string_view Commit();

}  // namespace varve

#endif  // VARVE_TOOLS_COMMIT_H_
