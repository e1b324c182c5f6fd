// SPDX-License-Identifier: Apache-2.0

#include "varve/api/version.h"

#include <string_view>

#define VARVE_TEXT(number) #number
#define VARVE_VERSION_TEXT(major, minor, patch) \
  VARVE_TEXT(major) "." VARVE_TEXT(minor) "." VARVE_TEXT(patch)

namespace varve {

std::string_view Version() {
  return VARVE_VERSION_TEXT(VARVE_VERSION_MAJOR, VARVE_VERSION_MINOR,
                            VARVE_VERSION_PATCH);
}

}  // namespace varve
