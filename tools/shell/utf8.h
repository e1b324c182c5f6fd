// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_UTF8_H_
#define VARVE_TOOLS_SHELL_UTF8_H_

#include <string_view>

namespace varve {

// Whether `bytes` are UTF-8 as RFC 3629 has it: shortest forms only, no
// surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view bytes);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_UTF8_H_
