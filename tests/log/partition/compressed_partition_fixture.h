// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_PARTITION_COMPRESSED_PARTITION_FIXTURE_H_
#define VARVE_TESTS_LOG_PARTITION_COMPRESSED_PARTITION_FIXTURE_H_

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "tests/log/partition/append_async_fixture.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

// A partition whose log has codecs, or none, and a compression.type.
class CompressedPartitionFixture : public AppendAsyncFixture {
 protected:
  static constexpr std::array<CompressionType, 6> kTypes = {
      CompressionType::kProducer, CompressionType::kUncompressed,
      CompressionType::kGzip,     CompressionType::kSnappy,
      CompressionType::kLz4,      CompressionType::kZstd};
  static constexpr std::array<Compression, 5> kForms = {
      Compression::kNone, Compression::kGzip, Compression::kSnappy,
      Compression::kLz4, Compression::kZstd};

  CompressedPartitionFixture() { codecs_ = &fake_.all; }

  void Open(CompressionType type) {
    config_.compression_type = type;
    Recover();
  }
  void Set(CompressionType type) {
    config_.compression_type = type;
    ASSERT_THAT(log_->SetConfig(config_), absl_testing::IsOk());
  }

  // What a topic of this type stores of a batch that comes in this form.
  static Compression StoredForm(CompressionType type, Compression came) {
    switch (type) {
      case CompressionType::kProducer:
        return came;
      case CompressionType::kUncompressed:
        return Compression::kNone;
      case CompressionType::kGzip:
        return Compression::kGzip;
      case CompressionType::kSnappy:
        return Compression::kSnappy;
      case CompressionType::kLz4:
        return Compression::kLz4;
      case CompressionType::kZstd:
        return Compression::kZstd;
    }
    return came;
  }

  // The batch that holds `offset`, as it is in the log.
  std::string StoredBytes(int64_t offset) {
    const auto view = log_->Read(
        offset, {.max_bytes = 0, .decompression = Decompression::kLeave});
    EXPECT_THAT(view, absl_testing::IsOk());
    return view.ok() ? std::string(view->bytes()) : std::string();
  }
  // Its records, decompressed.
  std::string StoredRecords(int64_t offset) {
    const std::string bytes = StoredBytes(offset);
    const RecordBatch batch(bytes);
    if (batch.compression() == Compression::kNone) {
      return std::string(batch.records());
    }
    return FakeDecompressed(batch.records(), batch.compression())
        .value_or("the stream is damaged");
  }

  FakeCodecs fake_;
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_PARTITION_COMPRESSED_PARTITION_FIXTURE_H_
