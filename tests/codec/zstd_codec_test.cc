// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/zstd_codec.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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

using absl_testing::IsOk;
using absl_testing::IsOkAndHolds;
using absl_testing::StatusIs;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

// Made by Kafka's Java client 4.2.0: the greeting. A header with a window of 2
// MiB, a block, and an empty one that is the last.
constexpr std::string_view kByKafka =
    "28b52ffd 00 58 940000 6068656c6c6f2c2076617276650100fa8a11 010000";
// The blocks of it: behind headers of other makers, of the same bytes.
constexpr std::string_view kBlocks =
    "940000 6068656c6c6f2c2076617276650100fa8a11 010000";

std::string Stream() { return FromHex(kByKafka); }

std::string Frame(std::string_view header) {
  return FromHex(absl::StrCat("28b52ffd", header, kBlocks));
}

TEST(ZstdCodecTest, ItWritesWhatKafkasJavaClientWrites) {
  EXPECT_EQ(Compressed(*ZstdCodec(), kGreeting), Stream());
  EXPECT_EQ(Compressed(*ZstdCodec(), ""), FromHex("28b52ffd 20 00 010000"));
  EXPECT_EQ(Compressed(*ZstdCodec(), "a"),
            FromHex("28b52ffd 00 58 080000 61 010000"));
}

// No content size, no checksum, no dictionary; the window is the level's.
TEST(ZstdCodecTest, TheHeaderHasTheLevelsWindow) {
  const std::string plain = CompressibleBytes(300'000);
  for (const auto& [level, header] : {std::pair{3, "28b52ffd 00 58"},
                                      {0, "28b52ffd 00 58"},
                                      {1, "28b52ffd 00 48"},
                                      {-1, "28b52ffd 00 48"},
                                      {-5, "28b52ffd 00 48"},
                                      {9, "28b52ffd 00 60"}}) {
    const std::string stream = Compressed(*ZstdCodec(), plain, level);
    EXPECT_THAT(stream, StartsWith(FromHex(header))) << level;
    EXPECT_THAT(Decompressed(*ZstdCodec(), stream), IsOkAndHolds(plain));
  }
}

TEST(ZstdCodecTest, LevelsFromLeastToGreatest) {
  const std::string plain = CompressibleBytes(50'000);
  size_t before = plain.size() + 20;
  for (const int level : {-131'072, -5, 3, 19}) {
    const std::string stream = Compressed(*ZstdCodec(), plain, level);
    EXPECT_THAT(Decompressed(*ZstdCodec(), stream), IsOkAndHolds(plain));
    EXPECT_LT(stream.size(), before) << level;
    before = stream.size();
  }
  EXPECT_EQ(Compressed(*ZstdCodec(), plain),
            Compressed(*ZstdCodec(), plain, 3));
}

TEST(ZstdCodecTest, OtherLevelsAreRefused) {
  for (const int level : {-131'073, 23}) {
    ByteBuffer out;
    EXPECT_THAT(ZstdCodec()->Compress("a", level, out),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("compression.zstd.level is "),
                               HasSubstr("-131072 to 22"))));
    EXPECT_EQ(out.size(), 0u);
  }
}

TEST(ZstdCodecTest, ItReadsWhatOthersWrite) {
  for (const std::string_view hex : {
           // kafka.codec.zstd_encode of kafka-python 3.0, with a content size.
           "28b52ffd2021 9500006068656c6c6f2c2076617276650100fa8a11",
           // Python's zstandard, with a checksum as well.
           "28b52ffd2421 9500006068656c6c6f2c2076617276650100fa8a11 5b7999a9",
           // Its compressobj, level 19: neither.
           "28b52ffd0068 9500006068656c6c6f2c2076617276650100fa8a11",
       }) {
    EXPECT_THAT(Decompressed(*ZstdCodec(), FromHex(hex)),
                IsOkAndHolds(kGreeting));
  }
}

TEST(ZstdCodecTest, FramesAreReadOneBehindTheOther) {
  // Made by stream_writer of Python's zstandard, with FLUSH_FRAME.
  EXPECT_THAT(
      Decompressed(
          *ZstdCodec(),
          FromHex("28b52ffd0058 9500006068656c6c6f2c2076617276650100fa8a11"
                  "28b52ffd0058 3100007365636f6e64")),
      IsOkAndHolds(absl::StrCat(kGreeting, "second")));
  const std::string large = CompressibleBytes(3'000'000);
  EXPECT_THAT(
      Decompressed(*ZstdCodec(),
                   Stream() + Compressed(*ZstdCodec(), large) + Stream()),
      IsOkAndHolds(absl::StrCat(kGreeting, large, kGreeting)));
}

TEST(ZstdCodecTest, SkippableFramesAreSkipped) {
  const std::string skippable = FromHex("5f2a4d18 04000000 20202020");
  EXPECT_THAT(Decompressed(*ZstdCodec(), skippable), IsOkAndHolds(""));
  EXPECT_THAT(Decompressed(*ZstdCodec(), skippable + Stream() + skippable),
              IsOkAndHolds(kGreeting));
}

TEST(ZstdCodecTest, OtherBytesBehindAFrameAreAnError) {
  for (const std::string& behind :
       {std::string("x"), std::string("garbage!"), std::string(8, '\0'),
        Stream().substr(0, 2), Stream().substr(0, 20)}) {
    EXPECT_THAT(
        Decompressed(*ZstdCodec(), Stream() + behind),
        StatusIs(kDataLoss, HasSubstr("at byte 30: the zstd frame that begins "
                                      "here cannot be read: ")));
  }
}

TEST(ZstdCodecTest, DamageIsReportedWithItsKind) {
  EXPECT_THAT(
      Decompressed(
          *ZstdCodec(),
          FromHex("28b52ffd2421 9500006068656c6c6f2c2076617276650100fa8a11 "
                  "5b7999aa")),
      StatusIs(kDataLoss, HasSubstr("doesn't match checksum")));
  EXPECT_THAT(Decompressed(*ZstdCodec(), Frame("01 58 07")),
              StatusIs(kDataLoss, HasSubstr("Dictionary mismatch")));
  EXPECT_THAT(Decompressed(*ZstdCodec(), Frame("08 58")),
              StatusIs(kDataLoss, HasSubstr("Unsupported frame parameter")));
  EXPECT_THAT(Decompressed(*ZstdCodec(), "neither"),
              StatusIs(kDataLoss, HasSubstr("Unknown frame descriptor")));
}

TEST(ZstdCodecTest, AWindowAbove128MiBIsRefused) {
  EXPECT_THAT(Decompressed(*ZstdCodec(), Frame("00 88")),
              IsOkAndHolds(kGreeting));
  EXPECT_THAT(
      Decompressed(*ZstdCodec(), Frame("00 89")),
      StatusIs(kDataLoss, HasSubstr("a window of 150994944 bytes, and Kafka's "
                                    "readers have 134217728")));
  EXPECT_THAT(Decompressed(*ZstdCodec(), Frame("00 90")),
              StatusIs(kDataLoss, HasSubstr("a window of 268435456 bytes")));
}

// As a single segment (a0, 1 GiB; e0, 2^60 bytes), and with a window of 2 MiB.
TEST(ZstdCodecTest, AContentSizeIsNotBelieved) {
  for (const std::string_view header :
       {"a0 00000040", "e0 0000000000000010", "c0 58 0000000000000010",
        "e0 feffffffffffffff"}) {
    for (const int64_t limit : {int64_t{33}, int64_t{1} << 40}) {
      ByteBuffer out;
      EXPECT_THAT(ZstdCodec()->Decompress(Frame(header), limit, out),
                  StatusIs(kDataLoss))
          << header;
      EXPECT_LE(out.capacity(), size_t{1} << 20);
    }
  }
}

TEST(ZstdCodecTest, MoreThanTheContentSizeIsAnError) {
  // 5, as a single segment.
  EXPECT_THAT(Decompressed(*ZstdCodec(), Frame("20 05")),
              StatusIs(kDataLoss, HasSubstr("cannot be read: ")));
  ByteBuffer out;
  out.Reserve(1'000);
  EXPECT_THAT(ZstdCodec()->Decompress(Frame("20 05"), 1'000, out),
              StatusIs(kDataLoss, HasSubstr("cannot be read: ")));
}

// A block of one repeated byte takes 4 bytes and gives 128 KiB.
std::string RepeatBlocks(int count) {
  std::string stream = FromHex("28b52ffd 00 58");
  for (int i = 0; i < count; ++i) stream += FromHex("020010 76");
  return stream + FromHex("010000");
}

TEST(ZstdCodecTest, ABombOfRepeatBlocksGetsMemoryAsItUnfolds) {
  const std::string plain(20 << 17, 'v');
  EXPECT_THAT(Decompressed(*ZstdCodec(), RepeatBlocks(20)),
              IsOkAndHolds(plain));
  std::string bomb = RepeatBlocks(10'000);
  ByteBuffer out;
  EXPECT_THAT(ZstdCodec()->Decompress(bomb, 10 << 20, out),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("more than 10485760 bytes")));
  EXPECT_LE(out.capacity(), 20u << 20);
  // The first block is damaged: a literals section that does not fit in it.
  bomb.replace(6, 4, FromHex("0c0000 ff"));
  ByteBuffer little;
  EXPECT_THAT(ZstdCodec()->Decompress(bomb, 1 << 30, little),
              StatusIs(kDataLoss));
  EXPECT_LE(little.capacity(), 32 * bomb.size());
}

}  // namespace
}  // namespace varve
