// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/batch_rewriter.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/random_records.h"
#include "tests/log/compaction/batch_log.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

class BatchRewriterTest : public ::testing::Test {
 protected:
  // The records of an uncompressed batch, from number `first` on.
  static std::vector<KeptRecord> KeptOf(const RecordBatch& batch,
                                        size_t first = 0) {
    std::vector<KeptRecord> kept;
    RecordCursor cursor(batch);
    std::string_view left = batch.records();
    while (const RecordView* const record = cursor.Next()) {
      const auto size = static_cast<size_t>(record->size_bytes());
      kept.push_back({left.substr(0, size), record->timestamp_ms()});
      left.remove_prefix(size);
    }
    kept.erase(kept.begin(), kept.begin() + static_cast<int64_t>(first));
    return kept;
  }

  BatchLog log_;
  BatchRewriter rewriter_{BatchLog::codecs()};
};

TEST_F(BatchRewriterTest, WithAllRecordsItIsTheSameBytes) {
  RandomRecords random(7);
  std::vector<OwnedRecord> records;
  for (int i = 0; i < 50; ++i) records.push_back(random.Next());
  log_.Append(records);
  const auto batch =
      rewriter_.Rewrite(log_.batch(0), KeptOf(log_.batch(0)), std::nullopt);
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->bytes(), log_.batches[0]);
}

TEST_F(BatchRewriterTest, TimesStayWhereverTheyAreFromAndTo) {
  for (const int64_t base_ms : {int64_t{-1}, int64_t{0}, kTimestampMax}) {
    for (const int64_t horizon_ms : {int64_t{0}, int64_t{77}, kTimestampMax}) {
      log_.batches.clear();
      log_.Append({Put("a", "", base_ms), Put("b", "", 5), Put("c", "", -1),
                   Put("d", "", kTimestampMax)});
      const auto records = RecordsOf(log_.batch(0), nullptr);
      const auto with_horizon =
          rewriter_.Rewrite(log_.batch(0), KeptOf(log_.batch(0)), horizon_ms);
      ASSERT_THAT(with_horizon, IsOk());
      EXPECT_EQ(with_horizon->base_timestamp_ms(), horizon_ms);
      EXPECT_EQ(RecordsOf(*with_horizon, nullptr), records);
      // Again, with fewer: the horizon stays.
      const std::string bytes(with_horizon->bytes());
      const auto fewer = rewriter_.Rewrite(
          RecordBatch(bytes), KeptOf(RecordBatch(bytes), 1), std::nullopt);
      ASSERT_THAT(fewer, IsOk());
      EXPECT_TRUE(fewer->has_delete_horizon());
      EXPECT_EQ(fewer->base_timestamp_ms(), horizon_ms);
      const std::vector<PlacedRecord> last_three(records.begin() + 1,
                                                 records.end());
      EXPECT_EQ(RecordsOf(*fewer, nullptr), last_three);
    }
  }
}

TEST_F(BatchRewriterTest, BitsThatMeanNothingAreNotKept) {
  log_.Append({Put("a", "1")});
  std::string bytes = log_.batches[0];
  bytes[batch_layout::kAttributes] = 0x55;
  const auto batch = rewriter_.Rewrite(
      RecordBatch(bytes), KeptOf(RecordBatch(bytes)), std::nullopt);
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->attributes(), 0);
}

TEST_F(BatchRewriterTest, AnEmptiedBatchHasNothingButItsPlaceAndProducer) {
  log_.Append({Put("a", "1", 5), Tombstone("b", 7)},
              {.compression = Compression::kGzip,
               .timestamp_type = TimestampType::kLogAppendTime,
               .producer_id = 9,
               .base_sequence = 3,
               .transactional = Transactional::kYes});
  const RecordBatch batch = rewriter_.Empty(log_.batch(0));
  EXPECT_EQ(batch.attributes(), batch_attributes::kLogAppendTime |
                                    batch_attributes::kTransactional);
  EXPECT_EQ(batch.last_offset_delta(), 1);
  EXPECT_EQ(batch.base_timestamp_ms(), -1);
  EXPECT_EQ(batch.max_timestamp_ms(), 7);
  EXPECT_EQ(batch.producer_id(), 9);
  EXPECT_EQ(batch.base_sequence(), 3);
  EXPECT_EQ(batch.crc(), batch.ComputeCrc());
  // Emptied again it is the same.
  const std::string bytes(batch.bytes());
  EXPECT_EQ(rewriter_.Empty(RecordBatch(bytes)).bytes(), bytes);
}

TEST_F(BatchRewriterTest, WithoutTheCodecItIsNotWritten) {
  log_.Append({Put("a", "1")});
  std::string bytes = log_.batches[0];
  bytes[batch_layout::kAttributes + 1] = static_cast<char>(Compression::kLz4);
  BatchRewriter without(nullptr);
  EXPECT_THAT(
      without.Rewrite(RecordBatch(bytes), KeptOf(log_.batch(0)), std::nullopt),
      StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("lz4")));
}

}  // namespace
}  // namespace varve
