// SPDX-License-Identifier: Apache-2.0

// What every codec does with streams that are cut, changed, or too much.

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/codec/codec_bytes.h"
#include "tests/fixture/sanitizer.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

using absl_testing::IsOkAndHolds;
using absl_testing::StatusIs;
using testing::HasSubstr;
using testing::Not;

class CodecDamageTest : public testing::TestWithParam<Compression> {
 protected:
  const Codec& codec() const { return *AllCodecs()->Find(GetParam()); }

  // Whether one wrong bit is always found: gzip has a checksum; the others are
  // as Kafka writes them, without.
  bool has_checksum() const { return GetParam() == Compression::kGzip; }
};

TEST_P(CodecDamageTest, EveryCutIsAnError) {
  // Of two chunks of snappy and two blocks of LZ4.
  const std::string plain = std::string(70'000, 'v') + RandomBytes(40, 1);
  const std::string stream = Compressed(codec(), plain);
  for (size_t size = 1; size < stream.size(); size += kInputStep) {
    const absl::StatusOr<std::string> cut =
        Decompressed(codec(), std::string_view(stream).substr(0, size));
    // A snappy stream may end behind each of its chunks.
    if (GetParam() == Compression::kSnappy && cut.ok()) {
      EXPECT_THAT(plain, testing::StartsWith(*cut)) << size;
      EXPECT_EQ(cut->size() % 32'768, 0u) << size;
      continue;
    }
    EXPECT_THAT(cut, StatusIs(absl::StatusCode::kDataLoss,
                              HasSubstr("compressed stream of ")))
        << size;
  }
}

TEST_P(CodecDamageTest, EveryFlippedBitIsAnErrorOrBytesWithinTheLimit) {
  const std::string plain = CompressibleBytes(1'000) + RandomBytes(40, 1);
  std::string stream = Compressed(codec(), plain);
  // Decompressed checks the limit, and that nothing stays after an error.
  constexpr int64_t kLimit = 1'100;
  for (size_t bit = 0; bit < 8 * stream.size(); bit += kInputStep) {
    const auto mask = static_cast<char>(1 << bit % 8);
    stream[bit / 8] ^= mask;
    const absl::StatusOr<std::string> found =
        Decompressed(codec(), stream, kLimit);
    if (!found.ok()) {
      EXPECT_THAT(found, Not(StatusIs(absl::StatusCode::kInternal))) << bit;
    } else if (has_checksum()) {
      // The header says nothing about the bytes, but how they are compressed.
      EXPECT_EQ(*found, plain) << bit;
    }
    stream[bit / 8] ^= mask;
  }
  EXPECT_THAT(Decompressed(codec(), stream, kLimit), IsOkAndHolds(plain));
}

TEST_P(CodecDamageTest, RandomBytesBehindAGoodBeginningAreAnErrorOrBytes) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string stream = Compressed(codec(), CompressibleBytes(5'000));
  for (int i = 0; i < 500; ++i) {
    const size_t good = random() % stream.size();
    const std::string bad =
        stream.substr(0, good) + RandomBytes(stream.size() - good, random());
    const absl::StatusOr<std::string> found =
        Decompressed(codec(), bad, /*size_max=*/random() % 10'000);
    if (!found.ok()) {
      EXPECT_NE(found.status().message(), "");
    }
  }
}

TEST_P(CodecDamageTest, ABombIsResourceExhaustedFromOneByteTooManyOn) {
  constexpr int64_t kPlainBytes = 8 << 20;
  const std::string plain(kPlainBytes, '\0');
  const std::string bomb = Compressed(codec(), plain);
  EXPECT_LT(bomb.size(), plain.size() / 20);
  EXPECT_THAT(Decompressed(codec(), bomb, kPlainBytes), IsOkAndHolds(plain));
  for (const int64_t limit :
       {kPlainBytes - 1, kPlainBytes / 2, int64_t{65'536}, int64_t{0}}) {
    EXPECT_THAT(
        Decompressed(codec(), bomb, limit),
        StatusIs(absl::StatusCode::kResourceExhausted,
                 HasSubstr(absl::StrCat("decompresses to more than ", limit,
                                        " bytes, which is the limit"))))
        << limit;
  }
}

// The buffer grows with what comes out: up to twice the limit, because it
// doubles.
TEST_P(CodecDamageTest, ABombTakesNoMoreMemoryThanTheLimitTwice) {
  const std::string bomb = Compressed(codec(), std::string(64 << 20, '\0'));
  for (const size_t limit : {size_t{1'000}, size_t{1} << 20, size_t{5} << 20}) {
    ByteBuffer out;
    EXPECT_THAT(codec().Decompress(bomb, static_cast<int64_t>(limit), out),
                StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_LE(out.capacity(), 2 * limit + 2);
  }
}

TEST_P(CodecDamageTest, NoBytesAreAStreamInZstdAlone) {
  if (GetParam() == Compression::kZstd) {
    EXPECT_THAT(Decompressed(codec(), ""), IsOkAndHolds(""));
  } else {
    EXPECT_THAT(Decompressed(codec(), ""),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("stream of 0 bytes, at byte 0: ")));
  }
}

INSTANTIATE_TEST_SUITE_P(, CodecDamageTest,
                         testing::Values(Compression::kGzip,
                                         Compression::kSnappy,
                                         Compression::kLz4, Compression::kZstd),
                         [](const testing::TestParamInfo<Compression>& info) {
                           return std::string(CompressionName(info.param));
                         });

}  // namespace
}  // namespace varve
