// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/stored_gzip.h"

#include <cstddef>
#include <cstdint>

namespace varve {
namespace {

// The CRC-32 of gzip, bit by bit.
uint32_t Crc32(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
    }
  }
  return ~crc;
}

void AppendLittleEndian(uint32_t value, int size, std::string* out) {
  for (int i = 0; i < size; ++i) {
    out->push_back(static_cast<char>(value >> (8 * i)));
  }
}

}  // namespace

std::string StoredGzip(std::string_view bytes) {
  constexpr size_t kBlockMax = 65535;
  // Magic, deflate, no flags, no time, no extra flags, unknown system.
  std::string out("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  size_t at = 0;
  do {
    const std::string_view block = bytes.substr(at, kBlockMax);
    at += block.size();
    out.push_back(at == bytes.size() ? '\x01' : '\0');
    const auto size = static_cast<uint32_t>(block.size());
    AppendLittleEndian(size, 2, &out);
    AppendLittleEndian(~size, 2, &out);
    out.append(block);
  } while (at < bytes.size());
  AppendLittleEndian(Crc32(bytes), 4, &out);
  AppendLittleEndian(static_cast<uint32_t>(bytes.size()), 4, &out);
  return out;
}

}  // namespace varve
