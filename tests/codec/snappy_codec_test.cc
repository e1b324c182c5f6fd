// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/snappy_codec.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/codec/codec_bytes.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::IsOkAndHolds;
using absl_testing::StatusIs;
using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

constexpr std::string_view kHeader = "82534e4150505900 00000001 00000001";
// Made by Python's snappy.compress: the greeting as a raw block.
constexpr std::string_view kRaw = "21 1868656c6c6f2c20 520700 107661727665";

std::string Header() { return FromHex(kHeader); }
std::string Raw() { return FromHex(kRaw); }

std::string Chunk(std::string_view block) {
  std::string length(4, '\0');
  StoreBig32(length.data(), static_cast<int32_t>(block.size()));
  return absl::StrCat(length, block);
}

// A block that says that `size` bytes come out of it, and has `rest`.
std::string BlockThatClaims(uint32_t size, std::string_view rest) {
  std::string block;
  for (; size >= 0x80; size >>= 7) {
    block.push_back(static_cast<char>(size | 0x80));
  }
  block.push_back(static_cast<char>(size));
  return absl::StrCat(block, rest);
}

TEST(SnappyCodecTest, ItWritesWhatKafkasJavaClientWrites) {
  // Made by Kafka's Java client 4.2.0.
  EXPECT_EQ(Compressed(*SnappyCodec(), kGreeting),
            FromHex("82534e4150505900 00000001 00000001 00000012"
                    "21 1868656c6c6f2c20 520700 107661727665"));
  EXPECT_EQ(Compressed(*SnappyCodec(), ""), Header());
  EXPECT_EQ(Compressed(*SnappyCodec(), "a"),
            Header() + FromHex("00000003 010061"));
}

TEST(SnappyCodecTest, AChunkHas32KiBAndTheLastOneTheRest) {
  const std::string plain = CompressibleBytes(70'000);
  const std::string stream = Compressed(*SnappyCodec(), plain);
  ASSERT_THAT(stream, StartsWith(Header()));
  std::string_view rest = std::string_view(stream).substr(16);
  for (const size_t size : {32'768, 32'768, 4'464}) {
    const auto length = static_cast<size_t>(LoadBig32(rest.data()));
    const std::string_view block = rest.substr(4, length);
    // Without the framing, a chunk is a stream of its own.
    EXPECT_THAT(Decompressed(*SnappyCodec(), block),
                IsOkAndHolds(testing::SizeIs(size)));
    rest.remove_prefix(4 + length);
  }
  EXPECT_EQ(rest, "");
}

TEST(SnappyCodecTest, TheLevelIsIgnored) {
  for (const int level : {-1'000'000, 0, 1, 1'000'000}) {
    EXPECT_EQ(Compressed(*SnappyCodec(), kGreeting, level),
              Compressed(*SnappyCodec(), kGreeting));
  }
}

TEST(SnappyCodecTest, ARawBlockIsReadWithoutFraming) {
  EXPECT_THAT(Decompressed(*SnappyCodec(), Raw()), IsOkAndHolds(kGreeting));
  // Shorter than the framing's header.
  EXPECT_THAT(Decompressed(*SnappyCodec(), FromHex("010061")),
              IsOkAndHolds("a"));
  EXPECT_THAT(Decompressed(*SnappyCodec(), FromHex("00")), IsOkAndHolds(""));
}

TEST(SnappyCodecTest, ItReadsTheChunksOfKafkaPython) {
  // Made by kafka.codec.snappy_encode of kafka-python 3.0, with chunks of 16
  // bytes.
  EXPECT_THAT(
      Decompressed(*SnappyCodec(),
                   FromHex("82534e4150505900 00000001 00000001 "
                           "00000012 103c 68656c6c6f2c2068656c6c6f2c206865 "
                           "00000012 103c 6c6c6f2c2068656c6c6f2c2076617276 "
                           "00000003 0100 65")),
      IsOkAndHolds(kGreeting));
}

TEST(SnappyCodecTest, StreamsAreReadOneBehindTheOther) {
  const std::string two = absl::StrCat(kGreeting, kGreeting);
  const std::string one = Header() + Chunk(Raw());
  EXPECT_THAT(Decompressed(*SnappyCodec(), one + Chunk(Raw())),
              IsOkAndHolds(two));
  EXPECT_THAT(Decompressed(*SnappyCodec(), one + one), IsOkAndHolds(two));
  EXPECT_THAT(Decompressed(*SnappyCodec(), Header() + Header() + one),
              IsOkAndHolds(kGreeting));
  EXPECT_THAT(Decompressed(*SnappyCodec(), one + Header()),
              IsOkAndHolds(kGreeting));
  EXPECT_THAT(Decompressed(*SnappyCodec(),
                           Header() + Chunk(FromHex("00")) + Chunk(Raw())),
              IsOkAndHolds(kGreeting));
}

// Java's reader looks at neither, and clients have written them in either order
// of bytes.
TEST(SnappyCodecTest, TheVersionsAreNotLookedAt) {
  for (const std::string_view versions :
       {"00000000 00000000", "01000000 01000000", "00000009 ffffffff"}) {
    EXPECT_THAT(
        Decompressed(
            *SnappyCodec(),
            FromHex(absl::StrCat("82534e4150505900", versions)) + Chunk(Raw())),
        IsOkAndHolds(kGreeting));
  }
}

TEST(SnappyCodecTest, ACutChunkOrHeaderIsAnError) {
  const std::string one = Header() + Chunk(Raw());
  const auto read = [&one](std::string_view more) {
    return Decompressed(*SnappyCodec(), absl::StrCat(one, more));
  };
  EXPECT_THAT(read(FromHex("0000")),
              StatusIs(kDataLoss, HasSubstr("at byte 38: ends in the length of "
                                            "a snappy chunk")));
  EXPECT_THAT(read(Chunk(Raw()).substr(0, 10)),
              StatusIs(kDataLoss, HasSubstr("at byte 38: a snappy chunk has 18 "
                                            "bytes, and 6 are left")));
  EXPECT_THAT(read(Header().substr(0, 15)),
              StatusIs(kDataLoss, HasSubstr("at byte 38: ends in the header of "
                                            "a snappy stream")));
  EXPECT_THAT(read("\x82SNAxxxxxxxxxxxxxxxx"),
              StatusIs(kDataLoss, HasSubstr("at byte 38: the header of a "
                                            "snappy stream is damaged")));
  EXPECT_THAT(Decompressed(*SnappyCodec(), Header().substr(0, 15)),
              StatusIs(kDataLoss));
}

TEST(SnappyCodecTest, WrongLengthsAreErrors) {
  EXPECT_THAT(
      Decompressed(*SnappyCodec(), Header() + FromHex("fffffffb") + Raw()),
      StatusIs(kDataLoss,
               HasSubstr("at byte 16: a snappy chunk has a length of -5")));
  EXPECT_THAT(
      Decompressed(*SnappyCodec(), Header() + FromHex("20000001") + Raw()),
      StatusIs(kDataLoss,
               HasSubstr("a snappy chunk has a length of 536870913")));
  EXPECT_THAT(
      Decompressed(*SnappyCodec(), Header() + FromHex("00000000") + Raw()),
      StatusIs(kDataLoss, HasSubstr("at byte 20: the snappy block of 0 bytes "
                                    "that begins here is damaged")));
  EXPECT_THAT(Decompressed(*SnappyCodec(), Raw() + "x"), StatusIs(kDataLoss));
  EXPECT_THAT(Decompressed(*SnappyCodec(), Header() + Chunk(Raw() + "x")),
              StatusIs(kDataLoss));
}

// What a block says of itself takes no memory, and exhausts no limit.
TEST(SnappyCodecTest, ABlockThatClaimsTooMuchIsDamagedNotTooLarge) {
  for (const uint32_t claimed : {100'000u, 1u << 20, 0xffffffffu}) {
    const std::string block = BlockThatClaims(claimed, Raw().substr(1));
    ByteBuffer out;
    EXPECT_THAT(SnappyCodec()->Decompress(block, /*size_max=*/1 << 30, out),
                StatusIs(kDataLoss, HasSubstr("is damaged")));
    EXPECT_THAT(SnappyCodec()->Decompress(block, /*size_max=*/10, out),
                StatusIs(kDataLoss, HasSubstr("is damaged")));
    EXPECT_EQ(out.capacity(), 0u);
  }
}

TEST(SnappyCodecTest, ADamagedBlockTakesMemoryInProportionToItsSize) {
  const std::string block = BlockThatClaims(2'000'000, RandomBytes(100'000, 1));
  ByteBuffer out;
  EXPECT_THAT(SnappyCodec()->Decompress(block, /*size_max=*/1 << 30, out),
              StatusIs(kDataLoss));
  EXPECT_LE(out.capacity(), 8 * block.size());
}

TEST(SnappyCodecTest, ARawBombIsResourceExhausted) {
  // A literal of one byte, then copies of 64 bytes of it.
  constexpr int kCopies = 100'000;
  std::string block = BlockThatClaims(1 + 64 * kCopies, FromHex("0076"));
  for (int i = 0; i < kCopies; ++i) block += FromHex("fe0100");
  ByteBuffer out;
  EXPECT_THAT(SnappyCodec()->Decompress(block, 64 * kCopies, out),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("more than 6400000 bytes")));
  EXPECT_EQ(out.capacity(), 0u);
  EXPECT_THAT(SnappyCodec()->Decompress(block, 1 + 64 * kCopies, out), IsOk());
  EXPECT_EQ(out.view(), std::string(1 + 64 * kCopies, 'v'));
}

}  // namespace
}  // namespace varve
