// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compression/stored_compression.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/compression/compression_buffers.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

class StoredCompressionTest : public testing::Test {
 protected:
  absl::StatusOr<std::optional<EncodedBatch>> Encode(
      const LogConfig& config, const IncomingBatch& incoming) {
    return StoredCompression(config, &codecs_.all).Encode(incoming, buffers_);
  }
  // The level at which a topic with this config compresses a batch; nothing if
  // it does not.
  std::optional<int> LevelOf(const LogConfig& config) {
    const auto stored = Encode(config, Incoming());
    EXPECT_THAT(stored, IsOk());
    if (!stored.ok() || !stored->has_value()) return std::nullopt;
    return FakeCodec::LevelOf((**stored).batch().records());
  }
  // Of one record.
  IncomingBatch Incoming() { return {record_, 5, 9}; }

  const Record record_ = {.value = "v"};
  FakeCodecs codecs_;
  CompressionBuffers buffers_;
};

TEST_F(StoredCompressionTest, EachCodecHasTheLevelOfItsOwnConfig) {
  LogConfig config = {.compression_gzip_level = 4,
                      .compression_lz4_level = 5,
                      .compression_zstd_level = 6};
  config.compression_type = CompressionType::kProducer;
  EXPECT_EQ(LevelOf(config), std::nullopt);
  config.compression_type = CompressionType::kUncompressed;
  EXPECT_EQ(LevelOf(config), std::nullopt);
  config.compression_type = CompressionType::kGzip;
  EXPECT_EQ(LevelOf(config), 4);
  config.compression_type = CompressionType::kSnappy;
  EXPECT_EQ(LevelOf(config), Codec::kDefaultLevel);
  config.compression_type = CompressionType::kLz4;
  EXPECT_EQ(LevelOf(config), 5);
  config.compression_type = CompressionType::kZstd;
  EXPECT_EQ(LevelOf(config), 6);
}

TEST_F(StoredCompressionTest, LevelsOfBothSignsArriveWhole) {
  for (const int level : {-131072, -7, -1, 0, 22}) {
    EXPECT_EQ(LevelOf({.compression_type = CompressionType::kZstd,
                       .compression_zstd_level = level}),
              level);
  }
  EXPECT_EQ(LevelOf({.compression_type = CompressionType::kGzip}),
            Codec::kDefaultLevel);
}

TEST_F(StoredCompressionTest, OnlyProducerKeepsAll) {
  EXPECT_TRUE(StoredCompression({}, nullptr).keeps_all());
  for (const CompressionType type :
       {CompressionType::kUncompressed, CompressionType::kGzip,
        CompressionType::kSnappy, CompressionType::kLz4,
        CompressionType::kZstd}) {
    StoredCompression stored({.compression_type = type}, nullptr);
    EXPECT_FALSE(stored.keeps_all());
    stored.SetConfig({});
    EXPECT_TRUE(stored.keeps_all());
    stored.SetConfig({.compression_type = type});
    EXPECT_FALSE(stored.keeps_all());
  }
}

TEST_F(StoredCompressionTest, RecordBecomesACompressedBatchOfOne) {
  const Header header = {.key = "h", .value = std::nullopt};
  const Record record = {.key = "key",
                         .value = "value",
                         .headers = absl::MakeConstSpan(&header, 1)};
  const auto stored = Encode({.compression_type = CompressionType::kLz4},
                             IncomingBatch(record, 5, 9));
  ASSERT_THAT(stored, IsOk());
  ASSERT_TRUE(stored->has_value());
  const RecordBatch batch = (**stored).batch();
  EXPECT_EQ(batch.attributes(), 3);
  EXPECT_EQ(batch.base_timestamp_ms(), 5);
  EXPECT_EQ(batch.max_timestamp_ms(), 5);
  EXPECT_EQ(batch.record_count(), 1);
  EXPECT_EQ(batch.last_offset_delta(), 0);
  EXPECT_EQ(batch.crc(), batch.ComputeCrc());

  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append(record, 5), IsOk());
  EXPECT_EQ(batch.bytes(), builder.FinishCompressed(codecs_.lz4, 9)->bytes());
  EXPECT_THAT(EncodedBatch::Parse(batch.bytes(), &codecs_.all), IsOk());
}

TEST_F(StoredCompressionTest, RecordOfAnUncompressedTopicIsNotTouched) {
  const auto stored =
      Encode({.compression_type = CompressionType::kUncompressed}, Incoming());
  ASSERT_THAT(stored, IsOk());
  EXPECT_FALSE(stored->has_value());
  EXPECT_EQ(buffers_.plain().size(), 0) << "it was encoded in vain";
}

TEST_F(StoredCompressionTest, RecordTooLargeForAnyBatchIsInvalid) {
  // Its bytes must never be read.
  const std::string_view unreadable(reinterpret_cast<const char*>(4096),
                                    kBatchSizeMax);
  const Record record = {.value = unreadable};
  EXPECT_THAT(Encode({.compression_type = CompressionType::kZstd},
                     IncomingBatch(record, 5, 9)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("exceeds the limit of 2147483647")));
}

TEST_F(StoredCompressionTest, BatchOfTheTopicsCodecIsNotTouched) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "v"}, 5), IsOk());
  const EncodedBatch zstd = *builder.FinishCompressed(codecs_.zstd, 1);
  const LogConfig config = {.compression_type = CompressionType::kZstd,
                            .compression_zstd_level = 9};
  const auto kept = Encode(config, IncomingBatch(zstd, 9));
  ASSERT_THAT(kept, IsOk());
  EXPECT_FALSE(kept->has_value());
  EXPECT_EQ(codecs_.zstd.compressed_count(), 1);

  const EncodedBatch plain = builder.Finish();
  const auto changed = Encode(config, IncomingBatch(plain, 9));
  ASSERT_THAT(changed, IsOk());
  ASSERT_TRUE(changed->has_value());
  EXPECT_EQ(FakeCodec::LevelOf((**changed).batch().records()), 9);
}

}  // namespace
}  // namespace varve
