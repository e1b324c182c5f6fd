// SPDX-License-Identifier: Apache-2.0

// A reader beside a writer, of a log in which batches are compressed.

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/read_only_partition_reader_fixture.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

using Code = absl::StatusCode;

constexpr int kBatchRecords = 4;

class ReadOnlyCompressedReadsTest
    : public ReadOnlyPartitionReaderFixture,
      public testing::WithParamInterface<SealedAccess> {
 protected:
  ReadOnlyCompressedReadsTest() {
    sealed_ = GetParam();
    codecs_ = &fakes_.all;
  }

  void AppendCompressed(int batches = 1) {
    for (; batches > 0; --batches) {
      RecordBatchBuilder builder;
      Fill(builder);
      Append(*builder.FinishCompressed(fakes_.gzip));
    }
  }
  void AppendStream(std::string_view stream) {
    RecordBatchBuilder builder;
    Fill(builder);
    Append(*builder.FinishCompressed(Compression::kGzip, stream));
  }
  // Values as those of AppendMany, at times of 1000 + their offsets, and keys
  // that compress.
  void Fill(RecordBatchBuilder& builder) {
    const std::string key(100, '.');
    for (int i = 0; i < kBatchRecords; ++i) {
      const int64_t offset = log_->visible_end() + i;
      ASSERT_THAT(
          builder.Append({.key = key, .value = Value(offset)}, 1000 + offset),
          IsOk());
    }
    plain_size_ = static_cast<int64_t>(builder.records().size());
  }
  void Append(const EncodedBatch& batch) {
    ASSERT_THAT(log_->Append(batch, Durability::kMemory), IsOk());
  }

  FakeCodecs fakes_;
  int64_t plain_size_ = 0;  // of the records of a batch
};

INSTANTIATE_TEST_SUITE_P(Access, ReadOnlyCompressedReadsTest,
                         testing::Values(SealedAccess::kMap,
                                         SealedAccess::kRead),
                         [](const auto& access) {
                           return access.param == SealedAccess::kMap ? "Map"
                                                                     : "Read";
                         });

TEST_P(ReadOnlyCompressedReadsTest, FollowerSeesThemOverSegments) {
  config_.segment_bytes = 1000;
  Recover();
  OpenReader();
  for (int64_t i = 0; i < 12; ++i) {
    const int64_t begin = log_->visible_end();
    AppendCompressed(2);
    AppendMany(3);
    EXPECT_EQ(Follow(), Values(begin, log_->visible_end()));
  }
  EXPECT_GT(log_->segment_count(), 2);
  OpenReader();
  EXPECT_EQ(Follow(), Values(0, log_->visible_end()));
}

TEST_P(ReadOnlyCompressedReadsTest, ReadBeginsInsideABatch) {
  Recover();
  AppendCompressed(3);
  OpenReader();
  for (int64_t offset = 0; offset < 12; ++offset)
    EXPECT_EQ(ReadOne(offset), Value(offset));
}

// A view that ends early is where the next read begins: it looks up nothing.
TEST_P(ReadOnlyCompressedReadsTest, ViewEndsAtMaxBytesAndTheNextGoesOnThere) {
  config_.index_interval_bytes = 100;
  Recover();
  AppendCompressed(9);
  OpenReader();
  const ReadOptions two = {.max_bytes = 5 * plain_size_ / 2};
  Contents seen;
  for (int i = 0; i < 4; ++i) {
    const auto view = reader_->Read(position_, two);
    ASSERT_THAT(view, IsOk());
    EXPECT_EQ(view->next_offset(), position_ + 2 * kBatchRecords);
    Collect(*view, seen);
    if (i == 0) reader_files_.ForgetCalls();
  }
  EXPECT_EQ(seen, Values(0, 8 * kBatchRecords));
  for (const std::string& call : reader_files_.calls())
    EXPECT_THAT(call, testing::Not(HasSubstr("OpenFile")));
  // The end that it knows is still the end.
  EXPECT_EQ(Follow(), Values(32, 36));
  EXPECT_TRUE(reader_->Read(36, {})->empty());
}

TEST_P(ReadOnlyCompressedReadsTest, DurableReadsEndAtTheRecoveryPoint) {
  Recover();
  AppendCompressed(6);
  outline_.checkpoint.recovery_point = 2 * kBatchRecords;
  OpenReader();
  const auto view = reader_->Read(0, {.level = ReadLevel::kDurable});
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(view->next_offset(), 2 * kBatchRecords);
  EXPECT_EQ(fakes_.gzip.decompressed_count(), 2);
  Contents seen;
  Collect(*view, seen);
  EXPECT_EQ(seen, Values(0, 2 * kBatchRecords));
  EXPECT_EQ(Follow(), Values(8, 24));
}

TEST_P(ReadOnlyCompressedReadsTest, TimesInsideBatchesAreFoundExactly) {
  config_.segment_bytes = 1000;
  config_.index_interval_bytes = 100;
  Recover();
  AppendCompressed(20);
  OpenReader();
  for (int64_t offset = 0; offset < 80; ++offset) {
    EXPECT_THAT(reader_->OffsetForTime(absl::FromUnixMillis(1000 + offset)),
                IsOkAndHolds(offset));
  }
  codecs_ = nullptr;
  OpenReader();
  EXPECT_THAT(reader_->OffsetForTime(absl::FromUnixMillis(1006)),
              IsOkAndHolds(4));
}

TEST_P(ReadOnlyCompressedReadsTest, BatchThatCannotBeReadIsPassed) {
  Recover();
  AppendMany(2);
  AppendStream("no stream");
  AppendCompressed();
  OpenReader();
  const auto view = reader_->Read(0, {});
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(view->next_offset(), 10);
  RecordBatches::Records records = view->records();
  while (const RecordView* record = records.Next())
    EXPECT_LT(record->offset(), 2);
  EXPECT_THAT(records.status(),
              StatusIs(Code::kDataLoss, HasSubstr("offset 2, gzip")));
  EXPECT_EQ(ReadOne(records.next_offset()), Value(6));
}

TEST_P(ReadOnlyCompressedReadsTest, LeftAsTheyAreTheyAreUnimplemented) {
  Recover();
  AppendCompressed();
  OpenReader();
  const auto view = reader_->Read(0, {.decompression = Decompression::kLeave});
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ((*view->begin()).compression(), Compression::kGzip);
  RecordBatches::Records records = view->records();
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_THAT(records.status(), StatusIs(Code::kUnimplemented));
  EXPECT_EQ(fakes_.gzip.decompressed_count(), 0);
}

TEST_P(ReadOnlyCompressedReadsTest, ViewOutlivesTheReaderAndTheFile) {
  config_.segment_bytes = 500;
  Recover();
  AppendCompressed(12);
  OpenReader();
  const auto view = reader_->Read(0, {});
  ASSERT_THAT(view, IsOk());
  reader_ = nullptr;
  Crash();
  RemoveSegmentsBelow(48);
  Contents seen;
  Collect(*view, seen);
  EXPECT_EQ(seen, Values(0, view->next_offset()));
}

}  // namespace
}  // namespace varve
