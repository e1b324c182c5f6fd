// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/lz4_codec.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/codec/codec_bytes.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"

namespace varve {
namespace {

using absl_testing::IsOkAndHolds;
using absl_testing::StatusIs;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

constexpr std::string_view kHeader = "04224d18 60 40 82";
// The greeting as a block, with its size.
constexpr std::string_view kBlock =
    "11000000 7f68656c6c6f2c20 0700 02 507661727665";

// A frame with the greeting as its one block.
std::string Frame(std::string_view header, std::string_view end = "00000000") {
  return FromHex(absl::StrCat(header, kBlock, end));
}

std::string Ff(size_t count) { return std::string(count, '\xff'); }

uint32_t Little32(std::string_view bytes) {
  uint32_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

TEST(Lz4CodecTest, ItWritesWhatKafkasJavaClientWrites) {
  // Made by Kafka's Java client 4.2.0.
  EXPECT_EQ(Compressed(*Lz4Codec(), kGreeting),
            FromHex("04224d18 604082 11000000 7f68656c6c6f2c20 0700 02 "
                    "507661727665 00000000"));
  EXPECT_EQ(Compressed(*Lz4Codec(), ""), FromHex("04224d18604082 00000000"));
  // It does not shrink, and is stored.
  EXPECT_EQ(Compressed(*Lz4Codec(), "a"),
            FromHex("04224d18604082 01000080 61 00000000"));
}

TEST(Lz4CodecTest, ABlockHas64KiBAndWhatDoesNotShrinkIsStored) {
  const std::string plain = RandomBytes(65'536, 1) + std::string(10'000, 'v');
  const std::string stream = Compressed(*Lz4Codec(), plain);
  ASSERT_THAT(stream, StartsWith(FromHex(kHeader)));
  std::string_view rest = std::string_view(stream).substr(7);
  EXPECT_EQ(Little32(rest), 65'536u | 1u << 31);
  EXPECT_EQ(rest.substr(4, 65'536), plain.substr(0, 65'536));
  rest.remove_prefix(4 + 65'536);
  EXPECT_LT(Little32(rest), 100u);
  rest.remove_prefix(4 + Little32(rest));
  EXPECT_EQ(rest, FromHex("00000000"));
}

TEST(Lz4CodecTest, Level9IsTheFastOneAndTheOthersAreHighCompression) {
  const std::string plain = CompressibleBytes(200'000);
  const std::string fast = Compressed(*Lz4Codec(), plain);
  EXPECT_EQ(Compressed(*Lz4Codec(), plain, 9), fast);
  for (int level = 1; level <= 17; ++level) {
    const std::string stream = Compressed(*Lz4Codec(), plain, level);
    EXPECT_THAT(stream, StartsWith(FromHex(kHeader)));
    EXPECT_THAT(Decompressed(*Lz4Codec(), stream), IsOkAndHolds(plain));
    if (level != 9) {
      EXPECT_LT(stream.size(), fast.size()) << level;
    }
  }
  EXPECT_EQ(Compressed(*Lz4Codec(), plain, 17),
            Compressed(*Lz4Codec(), plain, 12));
  EXPECT_LT(Compressed(*Lz4Codec(), plain, 12).size(),
            Compressed(*Lz4Codec(), plain, 1).size());
}

TEST(Lz4CodecTest, OtherLevelsAreRefused) {
  for (const int level : {-2, 0, 18}) {
    ByteBuffer out;
    EXPECT_THAT(Lz4Codec()->Compress("a", level, out),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("compression.lz4.level is "),
                               HasSubstr("1 to 17"))));
    EXPECT_EQ(out.size(), 0u);
  }
}

// All made by Python's lz4.frame.compress.
TEST(Lz4CodecTest, ChecksumsAndAContentSizeAreRead) {
  for (const std::string& stream :
       {Frame("04224d18 64 40 a7", "00000000 6a5184ab"),
        Frame("04224d18 70 40 ad", "6381df02 00000000"),
        Frame("04224d18 68 40 2100000000000000 f0"),
        Frame("04224d18 7c 40 2100000000000000 a9",
              "6381df02 00000000 6a5184ab")}) {
    EXPECT_THAT(Decompressed(*Lz4Codec(), stream), IsOkAndHolds(kGreeting));
  }
}

TEST(Lz4CodecTest, WrongChecksumsAndSizesAreErrors) {
  EXPECT_THAT(Decompressed(*Lz4Codec(),
                           Frame("04224d18 64 40 a7", "00000000 6a5184ac")),
              StatusIs(kDataLoss,
                       HasSubstr("at byte 28: the end of the LZ4 frame cannot "
                                 "be read: ERROR_contentChecksum_invalid")));
  EXPECT_THAT(
      Decompressed(*Lz4Codec(),
                   Frame("04224d18 70 40 ad", "6381df03 00000000")),
      StatusIs(kDataLoss, HasSubstr("at byte 7: the LZ4 block cannot be read: "
                                    "ERROR_blockChecksum_invalid")));
  // 5 instead of 33; the header's checksum is right.
  EXPECT_THAT(
      Decompressed(*Lz4Codec(), Frame("04224d18 68 40 0500000000000000 61")),
      StatusIs(kDataLoss, HasSubstr("ERROR_frameSize_wrong")));
  EXPECT_THAT(
      Decompressed(*Lz4Codec(), Frame("04224d18 60 40 83")),
      StatusIs(kDataLoss,
               HasSubstr("at byte 0: the LZ4 frame's header cannot be read: "
                         "ERROR_headerChecksum_invalid")));
}

// All made by Python's lz4.frame.LZ4FrameCompressor(block_size=…), which stands
// in the second byte behind the magic: one block of 70,000 bytes.
TEST(Lz4CodecTest, LargerBlocksAreRead) {
  const std::string plain(70'000, 'v');
  for (const std::string_view header : {"60 50 fb", "60 60 51", "60 70 73"}) {
    const std::string stream = absl::StrCat(
        FromHex("04224d18"), FromHex(header), FromHex("1d010000 1f 76 0100"),
        Ff(274), FromHex("69 50 7676767676 00000000"));
    EXPECT_THAT(Decompressed(*Lz4Codec(), stream, 70'000), IsOkAndHolds(plain));
    EXPECT_THAT(Decompressed(*Lz4Codec(), stream, 69'999),
                StatusIs(absl::StatusCode::kResourceExhausted));
  }
}

// Made by Python's lz4.frame.compress, with blocks of 64 KiB: 70,000 bytes.
TEST(Lz4CodecTest, BlocksThatDependOnEachOtherAreRefused) {
  const std::string block =
      FromHex("0b010000 1f 76 0100") + Ff(256) + FromHex("e7 50 7676767676");
  EXPECT_THAT(
      Decompressed(*Lz4Codec(),
                   absl::StrCat(FromHex("04224d18 40 40 c0"), block,
                                FromHex("1b000000 0f 0100"), Ff(17),
                                FromHex("69 50 7676767676 00000000"))),
      StatusIs(kDataLoss,
               HasSubstr("blocks depend on each other, which Kafka does not "
                         "allow")));
  // The same bytes, independent, with all checksums.
  EXPECT_THAT(
      Decompressed(
          *Lz4Codec(),
          absl::StrCat(FromHex("04224d18 74 40 bd"), block,
                       FromHex("f520123b 1c000000 1f 76 0100"), Ff(17),
                       FromHex("68 50 7676767676 896655d1 00000000 72a11f1e"))),
      IsOkAndHolds(std::string(70'000, 'v')));
}

TEST(Lz4CodecTest, WhatKafkaDoesNotReadIsRefused) {
  // A dictionary, with the right checksum of the header.
  EXPECT_THAT(Decompressed(*Lz4Codec(), Frame("04224d18 61 40 00000000 a0")),
              StatusIs(kDataLoss, HasSubstr("dictionary")));
  // A skippable frame before it.
  EXPECT_THAT(Decompressed(*Lz4Codec(), FromHex("502a4d18 04000000 61626364") +
                                            Frame(kHeader)),
              StatusIs(kDataLoss, HasSubstr("begins with 04 22 4d 18")));
  // The checksum of Kafka's messages before version 2, which has the magic in.
  EXPECT_THAT(Decompressed(*Lz4Codec(), Frame("04224d18 60 40 1a")),
              StatusIs(kDataLoss, HasSubstr("headerChecksum")));
}

TEST(Lz4CodecTest, TheEndMarkIsRequired) {
  EXPECT_THAT(
      Decompressed(*Lz4Codec(), Frame(kHeader, "")),
      StatusIs(kDataLoss, HasSubstr("at byte 28: ends without its end mark")));
  EXPECT_THAT(
      Decompressed(*Lz4Codec(), Frame("04224d18 64 40 a7", "00000000 6a5184")),
      StatusIs(kDataLoss,
               HasSubstr("at byte 28: ends in the checksum of the LZ4 frame")));
}

TEST(Lz4CodecTest, WhatIsBehindTheEndMarkIsNotLookedAt) {
  for (const std::string& behind : {std::string("x"), Frame(kHeader)}) {
    EXPECT_THAT(Decompressed(*Lz4Codec(), Frame(kHeader) + behind),
                IsOkAndHolds(kGreeting));
  }
}

TEST(Lz4CodecTest, WrongBlockSizesAreErrors) {
  EXPECT_THAT(
      Decompressed(*Lz4Codec(), FromHex("04224d18604082 01000180") +
                                    std::string(70'000, '\0')),
      StatusIs(kDataLoss,
               HasSubstr("at byte 7: an LZ4 block has 65537 bytes, and the "
                         "frame's have at most 65536")));
  EXPECT_THAT(
      Decompressed(*Lz4Codec(), FromHex("04224d18604082 05000080 61626364")),
      StatusIs(kDataLoss,
               HasSubstr("an LZ4 block takes 9 bytes, and 8 are left")));
  // 70,000 bytes come out of a block of a frame whose blocks have 65,536.
  EXPECT_THAT(
      Decompressed(*Lz4Codec(),
                   absl::StrCat(FromHex("04224d18604082 1d010000 1f 76 0100"),
                                Ff(274), FromHex("69 50 7676767676 00000000"))),
      StatusIs(kDataLoss, HasSubstr("ERROR_decompressionFailed")));
}

// Of blocks of 4 MiB, of which there is not one.
TEST(Lz4CodecTest, AHeaderTakesNoMemory) {
  ByteBuffer out;
  EXPECT_THAT(
      Lz4Codec()->Decompress(FromHex("04224d18 60 70 73 05000000 0000000000"),
                             1 << 30, out),
      StatusIs(kDataLoss));
  EXPECT_LE(out.capacity(), 5 * 255u);
}

}  // namespace
}  // namespace varve
