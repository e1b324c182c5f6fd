// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/encoded_batch.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/fake_codec.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

std::string Small() {
  RecordBatchBuilder builder;
  EXPECT_THAT(builder.Append({.value = "v"}, 1), IsOk());
  return std::string(builder.Finish().bytes());
}

TEST(EncodedBatchTest, BytesBehindTheBatchAreInvalid) {
  EXPECT_THAT(EncodedBatch::Parse(Small() + "x"),
              StatusIs(kInvalid, HasSubstr("followed by 1")));
  EXPECT_THAT(EncodedBatch::Parse(Small() + Small()), StatusIs(kInvalid));
}

TEST(EncodedBatchTest, DamageIsDataLoss) {
  std::string flipped = Small();
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_THAT(EncodedBatch::Parse(flipped),
              StatusIs(kDataLoss, HasSubstr("checksum")));
  EXPECT_THAT(EncodedBatch::Parse(""), StatusIs(kDataLoss));
  EXPECT_THAT(EncodedBatch::Parse(WithRecords(RecordBatch(Small()), "junk", 1)),
              StatusIs(kDataLoss, HasSubstr("record 0 of 1")));
}

TEST(EncodedBatchTest, FewerRecordsThanOffsetsAreInvalid) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({}, 1), IsOk());
  EXPECT_THAT(
      EncodedBatch::Parse(builder.FinishAs({.last_offset_delta = 1})->bytes()),
      StatusIs(kInvalid, HasSubstr("1 records takes 2 offsets")));
}

// A batch of one record whose compressed form is this stream.
std::string Compressed(std::string_view stream,
                       Compression compression = Compression::kZstd) {
  RecordBatchBuilder builder;
  EXPECT_THAT(builder.Append({.value = "v"}, 1), IsOk());
  return std::string(builder.FinishCompressed(compression, stream)->bytes());
}
std::string SmallRecords() {
  return std::string(RecordBatch(Small()).records());
}

TEST(EncodedBatchTest, RecordsOfACompressedBatchAreCheckedIfThereAreCodecs) {
  const FakeCodecs codecs;
  for (int i = 1; i <= 4; ++i) {
    const auto compression = static_cast<Compression>(i);
    const std::string good =
        Compressed(FakeCompressed(SmallRecords(), compression), compression);
    const auto batch = EncodedBatch::Parse(good, &codecs.all);
    ASSERT_THAT(batch, IsOk());
    EXPECT_EQ(batch->bytes().data(), good.data()) << "it is a copy";
    EXPECT_EQ(batch->bytes(), good);

    const std::string bad =
        Compressed(FakeCompressed("junk", compression), compression);
    EXPECT_THAT(EncodedBatch::Parse(bad), IsOk());
    EXPECT_THAT(EncodedBatch::Parse(bad, &codecs.all),
                StatusIs(kDataLoss, HasSubstr("record 0 of 1")));
  }
}

TEST(EncodedBatchTest, DamagedStreamIsDataLossThatNamesTheCodec) {
  const FakeCodecs codecs;
  EXPECT_THAT(EncodedBatch::Parse(Compressed("no stream"), &codecs.all),
              StatusIs(kDataLoss, HasSubstr("zstd: no stream of this codec")));
  const std::string cut = FakeCompressed(SmallRecords(), Compression::kZstd);
  EXPECT_THAT(EncodedBatch::Parse(
                  Compressed(std::string_view(cut).substr(0, 12)), &codecs.all),
              StatusIs(kDataLoss, HasSubstr("the stream is cut")));
}

TEST(EncodedBatchTest, WrongLargestTimestampOfACompressedBatchIsInvalid) {
  const FakeCodecs codecs;
  std::string bytes =
      Compressed(FakeCompressed(SmallRecords(), Compression::kZstd));
  StoreBig64(bytes.data() + batch_layout::kMaxTimestamp, 2);
  bytes = WithCrc(bytes);
  EXPECT_THAT(EncodedBatch::Parse(bytes), IsOk());
  EXPECT_THAT(EncodedBatch::Parse(bytes, &codecs.all),
              StatusIs(kInvalid, HasSubstr("largest timestamp of 2 ms")));
}

TEST(EncodedBatchTest, CodecThatIsMissingIsUnimplemented) {
  const FakeCodec gzip(Compression::kGzip);
  const Codecs only_gzip({&gzip});
  const std::string bytes =
      Compressed(FakeCompressed(SmallRecords(), Compression::kZstd));
  EXPECT_THAT(EncodedBatch::Parse(bytes, nullptr),
              StatusIs(kUnimplemented, HasSubstr("zstd")));
  EXPECT_THAT(EncodedBatch::Parse(bytes, &only_gzip),
              StatusIs(kUnimplemented, HasSubstr("zstd")));
  EXPECT_THAT(EncodedBatch::Parse(Small(), nullptr), IsOk());
}

TEST(EncodedBatchTest, MoreBytesThanTheCodecsAllowAreResourceExhausted) {
  const FakeCodec zstd(Compression::kZstd);
  const auto size = static_cast<int64_t>(SmallRecords().size());
  const Codecs enough({&zstd}, size);
  const Codecs too_few({&zstd}, size - 1);
  const std::string bytes =
      Compressed(FakeCompressed(SmallRecords(), Compression::kZstd));
  EXPECT_THAT(EncodedBatch::Parse(bytes, &enough), IsOk());
  EXPECT_THAT(EncodedBatch::Parse(bytes, &too_few),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(EncodedBatchTest, BadHeadersAreRefusedBeforeAnythingIsDecompressed) {
  const FakeCodecs codecs;
  std::string bytes =
      Compressed(FakeCompressed(SmallRecords(), Compression::kZstd));
  StoreBig32(bytes.data() + batch_layout::kLastOffsetDelta, 3);
  EXPECT_THAT(EncodedBatch::Parse(WithCrc(bytes), &codecs.all),
              StatusIs(kInvalid, HasSubstr("1 records takes 4 offsets")));
  EXPECT_THAT(EncodedBatch::Parse(bytes, &codecs.all),
              StatusIs(kDataLoss, HasSubstr("checksum")));
  EXPECT_EQ(codecs.zstd.decompressed_count(), 0);
}

}  // namespace
}  // namespace varve
