// SPDX-License-Identifier: Apache-2.0

// What becomes of the batches of transactions, and of control batches.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/compaction/batch_log.h"
#include "tests/log/compaction/compaction_run.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BatchCleanerMarkersTest : public ::testing::Test {
 protected:
  void CompactAt(int64_t now_ms) {
    run_.now_ms = now_ms;
    ASSERT_THAT(run_.Compact(log_), IsOk());
  }

  std::vector<int64_t> BaseOffsets() const {
    std::vector<int64_t> offsets;
    for (size_t i = 0; i < log_.batches.size(); ++i) {
      offsets.push_back(log_.batch(i).base_offset());
    }
    return offsets;
  }
  std::vector<int64_t> HorizonOffsets() const {
    std::vector<int64_t> offsets;
    for (size_t i = 0; i < log_.batches.size(); ++i) {
      if (log_.batch(i).has_delete_horizon()) {
        offsets.push_back(log_.batch(i).base_offset());
      }
    }
    return offsets;
  }

  BatchLog log_;
  CompactionRun run_;
};

TEST_F(BatchCleanerMarkersTest, AbortedRecordsGoAndReplaceNothing) {
  log_.Append({Put("a", "1")});
  log_.AppendTransactional(1, Put("a", "2"));
  log_.Abort(1, 1);
  log_.Append({Put("b", "3")});
  CompactAt(10'000);
  EXPECT_THAT(BaseOffsets(), ElementsAre(0, 2, 3));
  EXPECT_EQ(run_.stats.cleaning.records_aborted, 1);
  EXPECT_EQ(run_.stats.map.batches_aborted, 1);
}

TEST_F(BatchCleanerMarkersTest, AnAbortMarkerGoesInThreePasses) {
  log_.AppendTransactional(1, Put("a", "2"));
  log_.Abort(1, 0);
  log_.Append({Put("b", "3")});
  const AbortedTransaction transaction = log_.aborted[0];
  // Its batch was in this pass, so a reader may have met it.
  const std::string marker = log_.batches[1];
  CompactAt(10'000);
  EXPECT_THAT(BaseOffsets(), ElementsAre(1, 2));
  EXPECT_EQ(log_.batches[0], marker);
  EXPECT_THAT(log_.aborted, ElementsAre(transaction));
  // No batch any more: its time begins.
  CompactAt(11'000);
  EXPECT_THAT(HorizonOffsets(), ElementsAre(1));
  EXPECT_EQ(log_.batch(0).base_timestamp_ms(), 11'500);
  EXPECT_TRUE(log_.batch(0).is_control());
  EXPECT_EQ(RecordsOf(log_.batch(0), nullptr)[0].second.timestamp_ms, 1000);
  EXPECT_THAT(log_.aborted, IsEmpty());
  CompactAt(11'499);
  EXPECT_THAT(BaseOffsets(), ElementsAre(1, 2));
  CompactAt(11'500);
  EXPECT_THAT(BaseOffsets(), ElementsAre(2));
  EXPECT_EQ(run_.stats.cleaning.markers_dropped, 1);
}

TEST_F(BatchCleanerMarkersTest, ACommitMarkerStaysWhileRecordsDo) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.AppendMarker(1, ControlRecordType::kCommit);
  log_.Append({Put("b", "3")});
  for (const int64_t now_ms : {10'000, 20'000, 30'000}) {
    CompactAt(now_ms);
    EXPECT_THAT(BaseOffsets(), ElementsAre(0, 1, 2));
    EXPECT_THAT(HorizonOffsets(), IsEmpty());
  }
  log_.Append({Put("a", "2")});
  CompactAt(40'000);  // the records go
  EXPECT_THAT(BaseOffsets(), ElementsAre(1, 2, 3));
  EXPECT_THAT(HorizonOffsets(), IsEmpty());
  CompactAt(50'000);
  EXPECT_THAT(HorizonOffsets(), ElementsAre(1));
  CompactAt(50'500);
  EXPECT_THAT(BaseOffsets(), ElementsAre(2, 3));
}

TEST_F(BatchCleanerMarkersTest, AnEmptiedBatchKeepsItsMarker) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.AppendMarker(1, ControlRecordType::kCommit);
  log_.Append({Put("a", "3")});
  run_.producers = {{.producer_id = 1, .last_offset = 0}};
  for (const int64_t now_ms : {10'000, 20'000, 30'000}) {
    CompactAt(now_ms);
    EXPECT_THAT(BaseOffsets(), ElementsAre(0, 1, 2));
    EXPECT_EQ(log_.batch(0).record_count(), 0);
    EXPECT_THAT(HorizonOffsets(), IsEmpty());
  }
}

TEST_F(BatchCleanerMarkersTest, AnEmptiedAbortedBatchKeepsItsMarkerAndEntry) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.Abort(1, 0);
  log_.Append({Put("a", "3")});
  const AbortedTransaction transaction = log_.aborted[0];
  run_.producers = {{.producer_id = 1, .last_offset = 0}};
  for (const int64_t now_ms : {10'000, 20'000, 30'000}) {
    CompactAt(now_ms);
    EXPECT_THAT(BaseOffsets(), ElementsAre(0, 1, 2));
    EXPECT_EQ(log_.batch(0).record_count(), 0);
    EXPECT_THAT(log_.aborted, ElementsAre(transaction));
  }
}

TEST_F(BatchCleanerMarkersTest, TheMarkerOfAProducerWithoutDataIsEmptied) {
  log_.AppendMarker(1, ControlRecordType::kCommit);
  log_.Append({Put("a", "3")});
  run_.producers = {{.producer_id = 1, .producer_epoch = 0}};
  CompactAt(10'000);
  EXPECT_THAT(HorizonOffsets(), ElementsAre(0));
  CompactAt(10'500);
  EXPECT_THAT(BaseOffsets(), ElementsAre(0, 1));
  EXPECT_EQ(log_.batch(0).record_count(), 0);
  EXPECT_TRUE(log_.batch(0).is_control());
  EXPECT_FALSE(log_.batch(0).has_delete_horizon());
  EXPECT_EQ(log_.batch(0).producer_id(), 1);
  // Emptied, it stays for as long as the producer is known.
  CompactAt(20'000);
  EXPECT_THAT(BaseOffsets(), ElementsAre(0, 1));
  run_.producers.clear();
  CompactAt(20'000);
  EXPECT_THAT(BaseOffsets(), ElementsAre(1));
}

TEST_F(BatchCleanerMarkersTest, AMarkerOfAnotherEpochIsNotTheProducersLast) {
  log_.AppendMarker(1, ControlRecordType::kCommit);
  log_.Append({Put("a", "3")});
  run_.producers = {{.producer_id = 1, .producer_epoch = 1}};
  CompactAt(10'000);
  CompactAt(10'500);
  EXPECT_THAT(BaseOffsets(), ElementsAre(1));
}

TEST_F(BatchCleanerMarkersTest, AControlBatchThatEndsNothingStays) {
  RecordBatchBuilder builder({.kind = BatchKind::kControl});
  const ControlRecordKey key(ControlRecordType::kLeaderChange);
  ASSERT_THAT(builder.Append({.key = key.bytes(), .value = ""}, int64_t{1}),
              IsOk());
  const auto batch = builder.FinishAs({});
  ASSERT_THAT(batch, IsOk());
  log_.AppendBytes(batch->bytes(), 3);
  log_.Append({Put("a", "3")});
  const auto before = log_.batches;
  CompactAt(10'000);
  CompactAt(90'000);
  EXPECT_EQ(log_.batches, before);
}

TEST_F(BatchCleanerMarkersTest, AProducersNextTransactionIsItsOwn) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.Abort(1, 0);
  log_.AppendTransactional(1, Put("a", "2"));
  log_.AppendMarker(1, ControlRecordType::kCommit);
  log_.AppendTransactional(1, Put("a", "3"));
  log_.Abort(1, 4);
  log_.Append({Put("b", "3")});
  CompactAt(10'000);
  EXPECT_THAT(BaseOffsets(), ElementsAre(1, 2, 3, 5, 6));
  CompactAt(20'000);
  EXPECT_THAT(HorizonOffsets(), ElementsAre(1, 5));
  CompactAt(30'000);
  EXPECT_THAT(BaseOffsets(), ElementsAre(2, 3, 6));
}

TEST_F(BatchCleanerMarkersTest, ATransactionMayEndAfterTheRange) {
  log_.Append({Put("a", "0")});
  log_.AppendTransactional(1, Put("a", "1"));
  log_.Append({Put("c", "2")});
  log_.Abort(1, 1);
  run_.end = 3;
  CompactAt(10'000);
  EXPECT_THAT(BaseOffsets(), ElementsAre(0, 2, 3));
  EXPECT_EQ(log_.aborted.size(), 1U);
}

}  // namespace
}  // namespace varve
