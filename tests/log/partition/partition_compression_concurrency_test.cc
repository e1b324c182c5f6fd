// SPDX-License-Identifier: Apache-2.0

// Appends of four threads while the config changes under them. Run it under
// TSan, too.

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "tests/log/partition/compressed_partition_fixture.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int kThreads = 4;
constexpr int kRoundsEach = 300;

class PartitionCompressionConcurrencyTest : public CompressedPartitionFixture {
 protected:
  static std::string Value(int thread, int round) {
    return absl::StrCat(thread, " ", round);
  }
  // Each round appends a record, one with a callback, and a batch of gzip.
  void AppendAll(int thread) {
    RecordBatchBuilder builder;
    for (int round = 0; round < kRoundsEach; ++round) {
      const std::string value = Value(thread, round);
      ASSERT_THAT(log_->Append(Record{.value = value}, Durability::kMemory),
                  IsOk());
      ASSERT_THAT(log_->AppendAsync(Record{.value = value}, [](auto) {}),
                  IsOk());
      builder.Clear();
      ASSERT_THAT(builder.Append({.value = value}, 1), IsOk());
      ASSERT_THAT(log_->Append(*builder.FinishCompressed(fake_.gzip, 0),
                               Durability::kMemory),
                  IsOk());
    }
  }
  // The only pairs of type and level that there ever were.
  void SetOneOf(int number) {
    config_.compression_type = kTypes[number % kTypes.size()];
    const bool is_zstd = config_.compression_type == CompressionType::kZstd;
    config_.compression_zstd_level = is_zstd ? -77 : 5;
    const bool is_lz4 = config_.compression_type == CompressionType::kLz4;
    config_.compression_lz4_level = is_lz4 ? 17 : 3;
    ASSERT_THAT(log_->SetConfig(config_), IsOk());
  }
  static void ExpectLevelOfItsCodec(const RecordBatch& batch) {
    if (batch.compression() == Compression::kZstd) {
      EXPECT_EQ(FakeCodec::LevelOf(batch.records()), -77);
    }
    if (batch.compression() == Compression::kLz4) {
      EXPECT_EQ(FakeCodec::LevelOf(batch.records()), 17);
    }
  }
};

TEST_F(PartitionCompressionConcurrencyTest, EachBatchIsStoredByOneConfig) {
  Open(CompressionType::kProducer);
  std::atomic<int> running = kThreads;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      AppendAll(i);
      --running;
    });
  }
  int changes = 0;
  while (running > 0) {
    SetOneOf(changes++);
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(changes, 0);

  std::map<std::string, int> seen;
  for (int64_t at = 0; at < log_->visible_end(); ++at) {
    ExpectLevelOfItsCodec(RecordBatch(StoredBytes(at)));
  }
  for (const auto& [offset, value] : ReadAll()) ++seen[value];
  EXPECT_EQ(seen.size(), kThreads * kRoundsEach);
  for (const auto& [value, count] : seen) EXPECT_EQ(count, 3) << value;
}

}  // namespace
}  // namespace varve
