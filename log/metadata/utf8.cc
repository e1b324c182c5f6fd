// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/utf8.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace varve {

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const Utf8Character character = FirstUtf8Character(bytes);
    if (character.size == 0) return false;
    bytes.remove_prefix(character.size);
  }
  return true;
}

Utf8Character FirstUtf8Character(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (byte(0) < 0x80) return {.code = byte(0), .size = 1};
  const size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || size > bytes.size()) return {};
  uint32_t code = byte(0) & (0x7fU >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  const bool too_long =
      (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (too_long || surrogate || code > 0x10ffff) return {};
  return {.code = code, .size = size};
}

}  // namespace varve
