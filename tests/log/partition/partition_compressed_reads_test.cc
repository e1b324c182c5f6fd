// SPDX-License-Identifier: Apache-2.0

// Reads of a log in which batches are compressed. What a view shows is tested
// in ../batch/decompressor_test.cc; here, how a log gives it out.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/allocations.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

using Code = absl::StatusCode;

constexpr int kBatchRecords = 4;

// Batches of four records, whose timestamps are a tenth of a second apart:
// record N is of the time 1000 + 100 * N.
class PartitionCompressedReadsTest : public PartitionFixture {
 protected:
  PartitionCompressedReadsTest() { codecs_ = &fakes_.all; }

  static int64_t TimeOf(int64_t offset) { return 1000 + 100 * offset; }
  static std::string ValueOf(int64_t offset) {
    return std::string(100, static_cast<char>('a' + offset % 26));
  }
  void Fill(RecordBatchBuilder& builder) {
    for (int i = 0; i < kBatchRecords; ++i) {
      const int64_t offset = log_->visible_end() + i;
      ASSERT_THAT(builder.Append({.value = ValueOf(offset)}, TimeOf(offset)),
                  IsOk());
    }
    plain_size_ = static_cast<int64_t>(builder.records().size());
  }
  void Append(const EncodedBatch& batch) {
    ASSERT_THAT(log_->Append(batch, Durability::kMemory), IsOk());
  }
  void AppendPlain() {
    RecordBatchBuilder builder;
    Fill(builder);
    Append(builder.Finish());
  }
  void AppendCompressed(int batches = 1) {
    for (; batches > 0; --batches) {
      RecordBatchBuilder builder;
      Fill(builder);
      Append(*builder.FinishCompressed(fakes_.zstd));
    }
  }
  void AppendStream(std::string_view stream) {
    RecordBatchBuilder builder;
    Fill(builder);
    Append(*builder.FinishCompressed(Compression::kZstd, stream));
  }

  // Reads on from `offset` to the end, and expects every record there.
  void ExpectAll(int64_t offset, const ReadOptions& options) {
    while (offset < log_->visible_end()) {
      const auto view = log_->Read(offset, options);
      ASSERT_THAT(view, IsOk());
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        ASSERT_EQ(record->offset(), offset);
        ASSERT_EQ(record->value(), ValueOf(offset));
        ASSERT_EQ(record->timestamp_ms(), TimeOf(offset));
        ++offset;
      }
      ASSERT_THAT(records.status(), IsOk());
      ASSERT_EQ(view->next_offset(), offset);
    }
  }
  // Reads from the front, so often, and counts records.
  int64_t CountOfReads(int reads) {
    int64_t count = 0;
    for (; reads > 0; --reads) {
      const auto view = log_->Read(0, {});
      RecordBatches::Records records = view->records();
      while (records.Next() != nullptr) ++count;
    }
    return count;
  }
  absl::StatusOr<int64_t> Find(int64_t timestamp_ms) {
    return log_->OffsetForTime(absl::FromUnixMillis(timestamp_ms));
  }

  FakeCodecs fakes_;
  int64_t plain_size_ = 0;  // of the records of a batch
};

TEST_F(PartitionCompressedReadsTest, EveryOffsetIsReadOverSegments) {
  config_.segment_bytes = 1000;
  Recover();
  for (int i = 0; i < 10; ++i) {
    AppendCompressed();
    AppendCompressed();
    AppendPlain();
  }
  ASSERT_GT(log_->segment_count(), 3);
  for (const int64_t max_bytes :
       {int64_t{0}, plain_size_ - 1, 2 * plain_size_, int64_t{1} << 20}) {
    for (int64_t offset = 0; offset < 14; ++offset)
      ExpectAll(offset, {.max_bytes = max_bytes});
  }
}

TEST_F(PartitionCompressedReadsTest, RecordsOfAViewAreBoundedByMaxBytes) {
  Recover();
  AppendCompressed(10);
  const auto view = log_->Read(0, {.max_bytes = 3 * plain_size_});
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(view->next_offset(), 3 * kBatchRecords);
  const auto one = log_->Read(5, {.max_bytes = 1});
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(one->next_offset(), 2 * kBatchRecords);
}

TEST_F(PartitionCompressedReadsTest, LeavingThemCostsNothingAndSaysSo) {
  Recover();
  AppendCompressed(3);
  const ReadOptions leave = {.decompression = Decompression::kLeave};
  ASSERT_THAT(log_->Read(0, leave), IsOk());  // opens what it needs
  const int64_t before = Allocations::made;
  const auto view = log_->Read(0, leave);
  EXPECT_EQ(Allocations::made, before);
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(fakes_.zstd.decompressed_count(), 0);
  EXPECT_EQ(view->next_offset(), 3 * kBatchRecords);
  int64_t batches = 0;
  for (const RecordBatch& batch : *view) {
    EXPECT_EQ(batch.compression(), Compression::kZstd);
    ++batches;
  }
  EXPECT_EQ(batches, 3);
  RecordBatches::Records records = view->records();
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_THAT(records.status(), StatusIs(Code::kUnimplemented,
                                         HasSubstr("without decompression")));
  EXPECT_EQ(records.next_offset(), kBatchRecords);
}

TEST_F(PartitionCompressedReadsTest, ReadsInTheSteadyStateAllocateLittle) {
  Recover();
  AppendCompressed(3);
  ExpectAll(0, {});
  const int64_t before = Allocations::made;
  EXPECT_EQ(CountOfReads(10), 10 * 3 * kBatchRecords);
  EXPECT_EQ(Allocations::made - before, 10);  // one for each view
}

TEST_F(PartitionCompressedReadsTest, ReadsOfPlainBatchesAllocateNothing) {
  Recover();
  AppendPlain();
  AppendPlain();
  ExpectAll(0, {});
  const int64_t before = Allocations::made;
  EXPECT_EQ(CountOfReads(10), 10 * 2 * kBatchRecords);
  EXPECT_EQ(Allocations::made, before);
}

TEST_F(PartitionCompressedReadsTest, ViewPinsItsSegmentOnceForAllCopies) {
  Recover();
  AppendCompressed();
  const auto pins = [this] { return log_->Stats()->writer->pins.pins; };
  EXPECT_EQ(pins(), 0);
  auto view = log_->Read(0, {});
  ASSERT_THAT(view, IsOk());
  {
    const RecordBatches copy = *view;
    EXPECT_EQ(pins(), 1);
  }
  view = RecordBatches();
  EXPECT_EQ(pins(), 0);
}

TEST_F(PartitionCompressedReadsTest, StatsAndDurableReadsDoNotMindThem) {
  Recover();
  AppendCompressed(2);
  const auto stats = log_->Stats();
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->oldest_time, absl::FromUnixMillis(TimeOf(0)));
  EXPECT_EQ(stats->newest_time, absl::FromUnixMillis(TimeOf(7)));
  EXPECT_EQ(fakes_.zstd.decompressed_count(), 0);
  const ReadOptions durable = {.level = ReadLevel::kDurable};
  EXPECT_TRUE(log_->Read(0, durable)->empty());
  ASSERT_THAT(log_->Sync(), IsOk());
  AppendCompressed();
  EXPECT_EQ(log_->Read(0, durable)->next_offset(), 2 * kBatchRecords);
  EXPECT_EQ(fakes_.zstd.decompressed_count(), 2);
}

TEST_F(PartitionCompressedReadsTest, TimesInsideBatchesAreFoundExactly) {
  config_.segment_bytes = 1000;
  config_.index_interval_bytes = 100;
  Recover();
  for (int i = 0; i < 5; ++i) {
    AppendCompressed();
    AppendPlain();
  }
  for (int64_t offset = 0; offset < log_->visible_end(); ++offset) {
    EXPECT_THAT(Find(TimeOf(offset)), IsOkAndHolds(offset));
    EXPECT_THAT(Find(TimeOf(offset) + 1), IsOkAndHolds(offset + 1));
  }
}

TEST_F(PartitionCompressedReadsTest, TimeInABatchThatCannotBeReadIsItsFirst) {
  Recover();
  AppendPlain();
  AppendStream("no stream");
  AppendPlain();
  EXPECT_THAT(Find(TimeOf(6)), IsOkAndHolds(4));
  EXPECT_THAT(Find(TimeOf(8)), IsOkAndHolds(8));
  CloseCleanly();
  codecs_ = nullptr;
  OpenClean();
  AppendCompressed();
  EXPECT_THAT(Find(TimeOf(14)), IsOkAndHolds(12));
  EXPECT_THAT(Find(TimeOf(10)), IsOkAndHolds(10));
}

TEST_F(PartitionCompressedReadsTest, ManyThreadsReadAndPassViewsOn) {
  config_.segment_bytes = 2000;
  Recover();
  AppendCompressed(20);
  AppendStream("no stream");
  AppendPlain();
  std::atomic<int64_t> seen = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      RecordBatches kept;
      for (int64_t round = 0; round < 50; ++round) {
        const auto view = log_->Read(round % 80, {.max_bytes = 1000});
        ASSERT_THAT(view, IsOk());
        std::thread other([copy = *view, &seen] {
          RecordBatches::Records records = copy.records();
          while (const RecordView* record = records.Next()) {
            ASSERT_EQ(record->value(), ValueOf(record->offset()));
            ++seen;
          }
        });
        kept = *view;
        other.join();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(seen, 4 * 50);
}

// The CRCs of batches that do not fit decompressed would be computed in vain.
TEST_F(PartitionCompressedReadsTest,
       LooksAtAQuarterOfTheBytesOfCompressedOnes) {
  Recover();
  AppendCompressed(2000);
  constexpr int64_t kMax = int64_t{256} << 10;
  const auto view = log_->Read(0, {.max_bytes = kMax});
  ASSERT_THAT(view, IsOk());
  EXPECT_LE(view->size_bytes(), kMax / 4);
  EXPECT_GT(view->size_bytes(), kMax / 4 - 2 * plain_size_);
  const auto left = log_->Read(
      0, {.max_bytes = kMax, .decompression = Decompression::kLeave});
  ASSERT_THAT(left, IsOk());
  EXPECT_GT(left->size_bytes(), kMax - 2 * plain_size_);
}

TEST_F(PartitionCompressedReadsTest, FillsTheBytesWithPlainOnes) {
  Recover();
  for (int i = 0; i < 1500; ++i) AppendPlain();
  constexpr int64_t kMax = int64_t{256} << 10;
  int64_t offset = 0;
  for (int reads = 0; reads < 2; ++reads) {
    const auto view = log_->Read(offset, {.max_bytes = kMax});
    ASSERT_THAT(view, IsOk());
    EXPECT_LE(view->size_bytes(), kMax);
    EXPECT_GT(view->size_bytes(), kMax - 2 * plain_size_);
    offset = view->next_offset();
  }
  ExpectAll(0, {.max_bytes = kMax});
}

TEST_F(PartitionCompressedReadsTest, ReadsCompressedOnesBehindManyPlainOnes) {
  Recover();
  for (int i = 0; i < 300; ++i) AppendPlain();
  AppendCompressed(300);
  for (int i = 0; i < 300; ++i) AppendPlain();
  for (const int64_t max_kib : {65, 100, 150, 300, 1024})
    ExpectAll(0, {.max_bytes = max_kib << 10});
}

}  // namespace
}  // namespace varve
