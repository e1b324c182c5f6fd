// SPDX-License-Identifier: Apache-2.0

// The memory that appends take to encode batches again: none in the steady
// state; and when it runs out, nothing is appended.

#include <cstdint>
#include <new>
#include <string>
#include <thread>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/allocations.h"
#include "tests/log/partition/compressed_partition_fixture.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/compression/compression_buffers.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

class PartitionCompressionMemoryTest : public CompressedPartitionFixture {
 protected:
  // Without a matcher, which would allocate.
  void AppendBoth() {
    ASSERT_TRUE(
        log_->Append(Record{.value = "a record"}, Durability::kMemory).ok());
    ASSERT_TRUE(log_->Append(lz4_, Durability::kMemory).ok());
  }
  // In a thread that keeps no memory of an append before.
  template <typename Test>
  static void InAThread(Test test) {
    std::thread(test).join();
  }

  static RecordBatchBuilder WithARecord() {
    RecordBatchBuilder builder;
    EXPECT_THAT(builder.Append({.value = std::string(3000, 'x')}, 1), IsOk());
    return builder;
  }

  RecordBatchBuilder builder_ = WithARecord();
  const EncodedBatch lz4_ = *builder_.FinishCompressed(fake_.lz4);
};

TEST_F(PartitionCompressionMemoryTest, SteadyStateAllocatesNothing) {
  Open(CompressionType::kZstd);
  AppendBoth();
  const int64_t before = Allocations::made;
  for (int i = 0; i < 10; ++i) AppendBoth();
  EXPECT_EQ(Allocations::made, before);
}

TEST_F(PartitionCompressionMemoryTest, ProducerTopicTakesNoMemoryAtAll) {
  Open(CompressionType::kProducer);
  InAThread([&] {
    AppendBoth();
    CompressionBuffers buffers;
    EXPECT_EQ(buffers.plain().capacity() + buffers.stored().capacity(), 0);
  });
}

TEST_F(PartitionCompressionMemoryTest, LargeBatchLeavesNoMemoryBehind) {
  config_.max_message_bytes = 1 << 30;
  Open(CompressionType::kZstd);
  InAThread([&] {
    const std::string large(2 * CompressionBuffers::kKeptMax, 'x');
    EXPECT_THAT(log_->Append(Record{.value = large}, Durability::kMemory),
                IsOk());
    CompressionBuffers buffers;
    EXPECT_LE(buffers.plain().capacity(), CompressionBuffers::kKeptMax);
    EXPECT_LE(buffers.stored().capacity(), CompressionBuffers::kKeptMax);
  });
}

TEST_F(PartitionCompressionMemoryTest, NothingIsAppendedWhenMemoryRunsOut) {
  Open(CompressionType::kZstd);
  AppendBoth();
  bool threw = true;
  for (int64_t i = 0; threw; ++i) {
    ASSERT_LT(i, 1000);
    const int64_t end = log_->visible_end();
    InAThread([&] {
      Allocations::left = i;
      try {
        const auto result = log_->Append(lz4_, Durability::kMemory);
        Allocations::left = -1;
        threw = false;
        EXPECT_THAT(result, IsOk());
      } catch (const std::bad_alloc&) {
        threw = true;
      }
      Allocations::left = -1;
      EXPECT_EQ(log_->visible_end(), threw ? end : end + 1);
      EXPECT_TRUE(threw || i >= 2) << "it does not take both buffers";
      AppendBoth();
    });
  }
  EXPECT_EQ(ReadAll().size(), log_->visible_end());
}

}  // namespace
}  // namespace varve
