// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/key_hash.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>

#include "gtest/gtest.h"

namespace varve {
namespace {

// The bytes 0 to 15, as the authors' own test vectors have it.
constexpr HashSecret kSecret = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

// The bytes 0, 1, 2 and so on.
std::string Counting(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i);
  return bytes;
}

// The 128-bit results, as OpenSSL's SIPHASH prints them.
TEST(KeyHashTest, IsSipHash24) {
  const struct {
    size_t size;
    uint64_t first;
    uint64_t second;
  } vectors[] = {{0, 0xa3817f04ba25a8e6, 0x6df67214c7550293},
                 {1, 0xda87c1d86b99af44, 0x347659119b22fc45},
                 {2, 0x8177228da4a45dc7, 0xfca38bdef60affe4},
                 {7, 0xa1f1ebbed8dbc153, 0xc0b84aa61ff08239},
                 {8, 0x3b62a9ba6258f561, 0x0f83e264f31497b4},
                 {9, 0x264499060ad9baab, 0xc47f8b02bb6d71ed},
                 {15, 0x5493e99933b0a811, 0x7e08ec0f97cfc3d9},
                 {16, 0x6ee2a4ca67b054bb, 0xfd3315bf85230577},
                 {17, 0x473d06e8738db898, 0x54c066c47ae47740},
                 {63, 0x5150d1772f50834a, 0x503e069a973fbd7c}};
  for (const auto& vector : vectors) {
    const KeyHash hash = HashKey(Counting(vector.size), kSecret);
    EXPECT_EQ(__builtin_bswap64(hash.first), vector.first) << vector.size;
    EXPECT_EQ(__builtin_bswap64(hash.second), vector.second) << vector.size;
  }
}

TEST(KeyHashTest, KeysThatDifferInTheirLengthAloneHashApart) {
  std::unordered_set<uint64_t> hashes;
  for (size_t size = 0; size < 600; ++size) {
    const KeyHash hash = HashKey(std::string(size, '\0'), kSecret);
    hashes.insert(hash.first);
    hashes.insert(hash.second);
  }
  EXPECT_EQ(hashes.size(), 1200U);
}

TEST(KeyHashTest, AnotherSecretHashesApart) {
  EXPECT_NE(HashKey("key", {1, 0}), HashKey("key", {2, 0}));
  EXPECT_NE(HashKey("key", {0, 1}), HashKey("key", {0, 2}));
  EXPECT_EQ(HashKey("key", {1, 2}), HashKey("key", {1, 2}));
}

}  // namespace
}  // namespace varve
