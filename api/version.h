// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_VERSION_H_
#define VARVE_API_VERSION_H_

#include <string_view>

// The version of varve, and the only place that says it: CMakeLists.txt,
// varve.pc and `varve --version` take it from here. CHANGELOG.md says what is
// in it. Before 1.0 a new minor version may change the interface. The files
// have versions of their own: log/FORMAT.md.
#define VARVE_VERSION_MAJOR 0
#define VARVE_VERSION_MINOR 1
#define VARVE_VERSION_PATCH 0

namespace varve {

// The version of the library that the program is linked with: "0.1.0". The
// macros are those of the headers that it was compiled with.
//
// Thread safety: any thread, at any time, also before main().
std::string_view Version();

}  // namespace varve

#endif  // VARVE_API_VERSION_H_
