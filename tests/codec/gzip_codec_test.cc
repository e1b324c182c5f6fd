// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/gzip_codec.h"

#include <algorithm>
#include <cstddef>
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

// Made by Kafka's Java client 4.2.0 on Java 17: the greeting.
constexpr std::string_view kByKafka =
    "1f8b08000000000000ff cb48cdc9c9d751c8c04695251695a502 00b725b6a721000000";

std::string Stream() { return FromHex(kByKafka); }

TEST(GzipCodecTest, ItWritesWhatKafkasJavaClientWrites) {
  EXPECT_EQ(Compressed(*GzipCodec(), kGreeting), Stream());
  // So for no bytes, and for one.
  EXPECT_EQ(Compressed(*GzipCodec(), ""),
            FromHex("1f8b08000000000000ff 0300 0000000000000000"));
  EXPECT_EQ(Compressed(*GzipCodec(), "a"),
            FromHex("1f8b08000000000000ff 4b0400 43beb7e801000000"));
}

TEST(GzipCodecTest, TheHeaderIsTheSameAtEveryLevel) {
  const std::string plain = CompressibleBytes(50'000);
  size_t least = plain.size();
  for (int level = 1; level <= 9; ++level) {
    const std::string stream = Compressed(*GzipCodec(), plain, level);
    EXPECT_THAT(stream, StartsWith(FromHex("1f8b08000000000000ff"))) << level;
    EXPECT_THAT(Decompressed(*GzipCodec(), stream), IsOkAndHolds(plain));
    least = std::min(least, stream.size());
  }
  EXPECT_LT(least, Compressed(*GzipCodec(), plain, 1).size());
}

// A context of one level is taken over by the next.
TEST(GzipCodecTest, ALevelWritesTheSameWhateverWasBefore) {
  const std::string plain = CompressibleBytes(50'000);
  const std::string fast = Compressed(*GzipCodec(), plain, 1);
  const std::string usual = Compressed(*GzipCodec(), plain);
  const std::string best = Compressed(*GzipCodec(), plain, 9);
  EXPECT_NE(fast, best);
  EXPECT_EQ(Compressed(*GzipCodec(), plain, 6), usual);
  EXPECT_EQ(Compressed(*GzipCodec(), plain, -1), usual);
  EXPECT_EQ(Compressed(*GzipCodec(), plain, 1), fast);
  EXPECT_EQ(Compressed(*GzipCodec(), plain, 9), best);
  EXPECT_EQ(Compressed(*GzipCodec(), plain), usual);
}

TEST(GzipCodecTest, OtherLevelsAreRefused) {
  for (const int level : {-2, 0, 10}) {
    ByteBuffer out;
    EXPECT_THAT(GzipCodec()->Compress("a", level, out),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("compression.gzip.level is "),
                               HasSubstr("1 to 9"))));
    EXPECT_EQ(out.size(), 0u);
  }
}

TEST(GzipCodecTest, ItReadsWhatOthersWrite) {
  // Made by Python's gzip.compress, with a time.
  EXPECT_THAT(
      Decompressed(*GzipCodec(),
                   FromHex("1f8b080000f1536502ff cb48cdc9c9d751c8c04695251695"
                           "a50200b725b6a721000000")),
      IsOkAndHolds(kGreeting));
  // Made by Python's gzip.GzipFile, with a file name.
  EXPECT_THAT(
      Decompressed(*GzipCodec(),
                   FromHex("1f8b080800f1536502ff 7265636f7264732e62696e00 cb48"
                           "cdc9c9d751c8c04695251695a50200b725b6a721000000")),
      IsOkAndHolds(kGreeting));
}

// A header put together by hand, which Java reads as well.
constexpr std::string_view kAllHeaderFields =
    "1f8b081e0000000000ff 040061626364 6e616d6500 636f6d6d656e7400 1d6e "
    "cb48cdc9c9d751c8c04695251695a50200b725b6a721000000";

TEST(GzipCodecTest, AllFieldsOfTheHeaderAreRead) {
  std::string stream = FromHex(kAllHeaderFields);
  EXPECT_THAT(Decompressed(*GzipCodec(), stream), IsOkAndHolds(kGreeting));
  stream[30] ^= 1;  // its checksum
  EXPECT_THAT(
      Decompressed(*GzipCodec(), stream),
      StatusIs(kDataLoss, HasSubstr("the gzip member that begins at byte 0 is "
                                    "damaged: header crc mismatch")));
}

TEST(GzipCodecTest, MembersAreReadOneBehindTheOther) {
  const std::string other = CompressibleBytes(100'000);
  const std::string stream = Stream() + Compressed(*GzipCodec(), other) +
                             Compressed(*GzipCodec(), "") + Stream();
  EXPECT_THAT(Decompressed(*GzipCodec(), stream),
              IsOkAndHolds(absl::StrCat(kGreeting, other, kGreeting)));
}

TEST(GzipCodecTest, BytesBehindTheMembersAreIgnored) {
  for (const std::string_view behind : {"x", "garbage", "\x1e\x8b", "\x1fx"}) {
    EXPECT_THAT(Decompressed(*GzipCodec(), absl::StrCat(Stream(), behind)),
                IsOkAndHolds(kGreeting));
  }
  EXPECT_THAT(Decompressed(*GzipCodec(), Stream() + std::string(100, '\0')),
              IsOkAndHolds(kGreeting));
}

TEST(GzipCodecTest, ACutSecondMemberIsAnError) {
  for (size_t size = 1; size < Stream().size(); ++size) {
    EXPECT_THAT(
        Decompressed(*GzipCodec(), Stream() + Stream().substr(0, size)),
        StatusIs(kDataLoss,
                 HasSubstr("ends in the gzip member that begins at byte 35")))
        << size;
  }
}

TEST(GzipCodecTest, DamageIsReportedWithItsPlaceAndKind) {
  std::string stream = Stream();
  stream[stream.size() - 5] ^= 1;
  EXPECT_THAT(Decompressed(*GzipCodec(), stream),
              StatusIs(kDataLoss, HasSubstr("incorrect data check")));
  stream = Stream();
  stream[stream.size() - 1] ^= 1;
  EXPECT_THAT(Decompressed(*GzipCodec(), stream),
              StatusIs(kDataLoss, HasSubstr("incorrect length check")));
  stream = Stream() + Stream();
  stream[45] ^= 7;
  EXPECT_THAT(
      Decompressed(*GzipCodec(), stream),
      StatusIs(
          kDataLoss,
          testing::MatchesRegex(
              "compressed stream of 70 bytes, at byte [4-6][0-9]: the gzip "
              "member that begins at byte 35 is damaged: invalid .*")));
  EXPECT_THAT(Decompressed(*GzipCodec(), "neither"),
              StatusIs(kDataLoss, HasSubstr("incorrect header check")));
}

// The limit comes before the damage that lies behind it.
TEST(GzipCodecTest, DamageBehindTheLimitIsNotLookedFor) {
  std::string stream = Compressed(*GzipCodec(), CompressibleBytes(1'000));
  stream.back() ^= 1;
  EXPECT_THAT(Decompressed(*GzipCodec(), stream, 999),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Decompressed(*GzipCodec(), stream, 1'000), StatusIs(kDataLoss));
}

}  // namespace
}  // namespace varve
