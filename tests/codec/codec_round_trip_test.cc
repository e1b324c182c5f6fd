// SPDX-License-Identifier: Apache-2.0

// What holds of every codec, for whole streams that it wrote itself.

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
#include "varve/codec/all_codecs.h"
#include "varve/codec/compress_arguments.h"
#include "varve/codec/gzip_codec.h"
#include "varve/codec/lz4_codec.h"
#include "varve/codec/snappy_codec.h"
#include "varve/codec/zstd_codec.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::IsOkAndHolds;
using absl_testing::StatusIs;
using testing::HasSubstr;

constexpr size_t kSizes[] = {0,     1,     100,   32767,   32768,  32769,
                             65535, 65536, 65537, 1 << 20, 5 << 20};

TEST(AllCodecsTest, EachIsThereOnce) {
  const Codecs& codecs = *AllCodecs();
  EXPECT_EQ(codecs.Find(Compression::kGzip), GzipCodec());
  EXPECT_EQ(codecs.Find(Compression::kSnappy), SnappyCodec());
  EXPECT_EQ(codecs.Find(Compression::kLz4), Lz4Codec());
  EXPECT_EQ(codecs.Find(Compression::kZstd), ZstdCodec());
  EXPECT_EQ(codecs.Find(Compression::kNone), nullptr);
  EXPECT_EQ(codecs.decompressed_size_max(), Codecs::kDecompressedSizeMax);
  EXPECT_EQ(AllCodecs(), AllCodecs());
}

class CodecRoundTripTest : public testing::TestWithParam<Compression> {
 protected:
  const Codec& codec() const { return *AllCodecs()->Find(GetParam()); }

  // To the byte, at the limit; one byte below it is too little.
  void RoundTrip(std::string_view plain) {
    SCOPED_TRACE(plain.size());
    const std::string stream = Compressed(codec(), plain);
    const auto size = static_cast<int64_t>(plain.size());
    EXPECT_THAT(Decompressed(codec(), stream, size), IsOkAndHolds(plain));
    if (plain.empty()) return;
    EXPECT_THAT(
        Decompressed(codec(), stream, size - 1),
        StatusIs(absl::StatusCode::kResourceExhausted,
                 HasSubstr(absl::StrCat("more than ", size - 1, " bytes"))));
  }
};

TEST_P(CodecRoundTripTest, ItSaysWhichOneItIs) {
  EXPECT_EQ(codec().compression(), GetParam());
}

TEST_P(CodecRoundTripTest, CompressibleBytesComeBack) {
  for (const size_t size : kSizes) RoundTrip(CompressibleBytes(size));
}

TEST_P(CodecRoundTripTest, RandomBytesComeBack) {
  for (const size_t size : kSizes) RoundTrip(RandomBytes(size, /*seed=*/1));
}

TEST_P(CodecRoundTripTest, CompressibleBytesShrink) {
  const std::string plain = CompressibleBytes(100'000);
  EXPECT_LT(Compressed(codec(), plain).size(), plain.size() / 2);
}

TEST_P(CodecRoundTripTest, CompressAppendsToWhatIsThere) {
  ByteBuffer out;
  out.Append("before");
  ASSERT_THAT(codec().Compress(kGreeting, Codec::kDefaultLevel, out), IsOk());
  EXPECT_EQ(out.view(), "before" + Compressed(codec(), kGreeting));
}

// Whatever a call leaves in the thread's context, the next finds a clean one.
TEST_P(CodecRoundTripTest, ACallAfterAFailedOneIsLikeTheFirst) {
  const std::string plain = CompressibleBytes(100'000);
  const std::string stream = Compressed(codec(), plain);
  const std::string half = stream.substr(0, stream.size() / 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Decompressed(codec(), half),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(Decompressed(codec(), stream), IsOkAndHolds(plain));
    EXPECT_THAT(Decompressed(codec(), stream, /*size_max=*/70'000),
                StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_EQ(Compressed(codec(), plain), stream);
  }
}

TEST_P(CodecRoundTripTest, MoreThanABatchHoldsIsRefused) {
  // The size alone says so: the bytes are not looked at.
  const std::string_view plain(kGreeting.data(), size_t{kPlainSizeMax} + 1);
  ByteBuffer out;
  out.Append("before");
  EXPECT_THAT(codec().Compress(plain, Codec::kDefaultLevel, out),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("2147483648 bytes to compress: one batch "
                                 "holds at most 2147483647")));
  EXPECT_EQ(out.view(), "before");
}

// Memory is never less than nothing.
TEST_P(CodecRoundTripTest, ANegativeLimitIsZero) {
  ByteBuffer out;
  EXPECT_THAT(codec().Decompress(Compressed(codec(), "a"), -1, out),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("more than 0 bytes")));
  EXPECT_THAT(codec().Decompress(Compressed(codec(), ""), -1, out), IsOk());
  EXPECT_EQ(out.size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(, CodecRoundTripTest,
                         testing::Values(Compression::kGzip,
                                         Compression::kSnappy,
                                         Compression::kLz4, Compression::kZstd),
                         [](const testing::TestParamInfo<Compression>& info) {
                           return std::string(CompressionName(info.param));
                         });

}  // namespace
}  // namespace varve
