// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_batches.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Batches of three records each, "0" to "2", "3" to "5" …
class RecordBatchesTest : public testing::Test {
 protected:
  void Add(RecordBatchBuilder& builder) {
    std::string batch(builder.Finish().bytes());
    StoreBig64(batch.data(), next_);
    next_ += builder.record_count();
    sizes_.push_back(batch.size());
    *bytes_ += batch;
  }
  void AddBatch() {
    RecordBatchBuilder builder;
    for (int64_t i = 0; i < 3; ++i) {
      ASSERT_THAT(builder.Append({.value = absl::StrCat(next_ + i)}, 1),
                  IsOk());
    }
    Add(builder);
  }
  RecordBatches View(int64_t first_offset) const {
    return RecordBatches(bytes_, *bytes_, first_offset, next_);
  }
  static std::vector<std::string> Rest(RecordBatches::Records& records) {
    std::vector<std::string> values;
    while (const RecordView* record = records.Next()) {
      values.emplace_back(*record->value());
    }
    return values;
  }

  int64_t next_ = 0;
  std::vector<size_t> sizes_;
  std::shared_ptr<std::string> bytes_ = std::make_shared<std::string>();
};

TEST_F(RecordBatchesTest, NextOffsetFollowsTheRecordsAndEndsWithTheView) {
  AddBatch();
  AddBatch();
  const RecordBatches view = View(1);
  RecordBatches::Records records = view.records();
  EXPECT_EQ(records.next_offset(), 1);
  for (int64_t offset = 1; offset < 6; ++offset) {
    const RecordView* record = records.Next();
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->offset(), offset);
    EXPECT_EQ(records.next_offset(), offset + 1);
  }
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_THAT(records.status(), IsOk());
  EXPECT_EQ(records.next_offset(), view.next_offset());
}

TEST_F(RecordBatchesTest, BytesThatChangedSinceTheReadAreDataLossAndNoEnd) {
  AddBatch();
  AddBatch();
  AddBatch();
  const RecordBatches view = View(0);
  RecordBatches::Records records = view.records();
  // The magic of the second batch is overwritten.
  (*bytes_)[sizes_[0] + 16] = 9;
  EXPECT_THAT(Rest(records), ElementsAre("0", "1", "2"));
  EXPECT_THAT(records.status(), StatusIs(absl::StatusCode::kDataLoss,
                                         HasSubstr("the batch at offset 3")));
  EXPECT_EQ(records.next_offset(), 3);
}

TEST_F(RecordBatchesTest, AfterACompressedBatchNextOffsetIsTheOneBehindIt) {
  AddBatch();
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "squeezed"}, 1), IsOk());
  auto compressed = builder.FinishCompressed(Compression::kLz4, "bytes");
  ASSERT_THAT(compressed, IsOk());
  std::string batch(compressed->bytes());
  StoreBig64(batch.data(), next_++);
  *bytes_ += batch;
  AddBatch();
  const RecordBatches view = View(0);
  RecordBatches::Records records = view.records();
  EXPECT_THAT(Rest(records), ElementsAre("0", "1", "2"));
  EXPECT_THAT(records.status(), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_EQ(records.next_offset(), 4);
}

TEST_F(RecordBatchesTest, EmptyViewHasNoRecordsAndItsOffset) {
  const RecordBatches view(7);
  RecordBatches::Records records = view.records();
  EXPECT_EQ(records.Next(), nullptr);
  EXPECT_THAT(records.status(), IsOk());
  EXPECT_EQ(records.next_offset(), 7);
}

}  // namespace
}  // namespace varve
