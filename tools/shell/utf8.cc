// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/utf8.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace varve {
namespace {

// Bytes of the character that begins with `lead`; 0 if none does.
size_t SizeOfCharacter(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// Some leads allow fewer second bytes than others.
bool SecondFits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second <= 0x9f;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second <= 0x8f;
    default:
      return true;
  }
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const unsigned char lead = static_cast<unsigned char>(bytes[at]);
    const size_t size = SizeOfCharacter(lead);
    if (size == 0 || size > bytes.size() - at) return false;
    for (size_t i = 1; i < size; ++i) {
      const unsigned char byte = static_cast<unsigned char>(bytes[at + i]);
      if ((byte & 0xc0) != 0x80) return false;
      if (i == 1 && !SecondFits(lead, byte)) return false;
    }
    at += size;
  }
  return true;
}

}  // namespace varve
