// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/utf8.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gtest/gtest.h"

namespace varve {
namespace {

TEST(Utf8Test, WholeCharactersPass) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8(std::string_view("a\0b", 3)));
  EXPECT_TRUE(IsUtf8("\xc2\x80 \xe0\xa0\x80 \xed\x9f\xbf \xf0\x90\x80\x80"));
  EXPECT_TRUE(IsUtf8("\xf4\x8f\xbf\xbf"));
}

TEST(Utf8Test, BrokenOnesDoNot) {
  for (std::string_view bytes :
       {"\x80", "\xc1\x81", "\xc2", "\xe0\x9f\x80", "\xed\xa0\x80", "\xe1\x80",
        "\xf0\x8f\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
        "\xc2\x41"}) {
    EXPECT_FALSE(IsUtf8(bytes)) << bytes;
  }
}

TEST(Utf8Test, FirstCharacterHasItsCodeAndItsSize) {
  const auto is = [](std::string_view bytes, uint32_t code, size_t size) {
    const Utf8Character first = FirstUtf8Character(bytes);
    EXPECT_EQ(first.code, code);
    EXPECT_EQ(first.size, size);
  };
  is("ab", 0x61, 1);
  is("\xc3\xbc!", 0xfc, 2);
  is("\xe2\x82\xac", 0x20ac, 3);
  is("\xf0\x9f\x98\x80", 0x1f600, 4);
  is("\xff", 0, 0);
}

}  // namespace
}  // namespace varve
