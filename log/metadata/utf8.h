// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_UTF8_H_
#define VARVE_LOG_METADATA_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace varve {

// UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing above
// U+10FFFF.
//
// Thread safety: thread-safe.

bool IsUtf8(std::string_view bytes);

// One character; its size is 0 when the bytes are none.
struct Utf8Character {
  uint32_t code = 0;
  size_t size = 0;  // in bytes
};

// The character that the bytes begin with. Precondition: there is a byte.
Utf8Character FirstUtf8Character(std::string_view bytes);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_UTF8_H_
