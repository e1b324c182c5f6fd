// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/producer/producer_log.h"
#include "varve/index/transaction_index.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_refusal.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

constexpr auto kFailedPrecondition = absl::StatusCode::kFailedPrecondition;

class TransactionsTest : public testing::Test {
 protected:
  std::optional<int64_t> FirstUnstable() {
    return log_.states().first_unstable_offset();
  }

  ProducerLog log_;
  const Producer producer_ = {};
  const Producer newer_ = {.epoch = 1};
  const Producer other_ = {.id = 4001};
  const Producer third_ = {.id = 4002};
};

TEST_F(TransactionsTest, FirstUnstableOffsetIsThatOfTheEarliestOpenOne) {
  EXPECT_EQ(FirstUnstable(), std::nullopt);
  log_.Skip(10);
  ASSERT_THAT(log_.Append(producer_.Transactional(0, 5)), IsOk());
  ASSERT_THAT(log_.Append(other_.Transactional(0, 5)), IsOk());
  ASSERT_THAT(log_.Append(third_.Transactional(0, 5)), IsOk());
  EXPECT_EQ(FirstUnstable(), 10);
  ASSERT_THAT(log_.Append(other_.Commit()), IsOk());
  EXPECT_EQ(FirstUnstable(), 10);
  ASSERT_THAT(log_.Append(producer_.Abort()), IsOk());
  EXPECT_EQ(FirstUnstable(), 20);
  ASSERT_THAT(log_.Append(third_.Commit()), IsOk());
  EXPECT_EQ(FirstUnstable(), std::nullopt);
}

TEST_F(TransactionsTest, FurtherBatchesDoNotMoveItsFirstOffset) {
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  ASSERT_THAT(log_.Append(producer_.Transactional(1)), IsOk());
  ASSERT_THAT(log_.Append(newer_.Transactional(0)), IsOk());
  EXPECT_EQ(FirstUnstable(), 0);
}

TEST_F(TransactionsTest, LastStableOffsetIsAtMostTheEnd) {
  EXPECT_EQ(log_.states().last_stable_offset(7), 7);
  log_.Skip(10);
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  EXPECT_EQ(log_.states().last_stable_offset(11), 10);
  EXPECT_EQ(log_.states().last_stable_offset(9), 9);
}

// The entry of the worked example of Kafka's format.
TEST_F(TransactionsTest, AbortYieldsTheEntryOfTheTransactionIndex) {
  log_.Skip(100);
  ASSERT_THAT(log_.Append(producer_.Transactional(0, 2)), IsOk());
  ASSERT_THAT(log_.Append(producer_.Abort()), IsOk());
  const auto ended = log_.TakeEnded();
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(ended->aborted);
  EXPECT_EQ(ended->index_entry(), (AbortedTransaction{4000, 100, 102, 103}));
}

TEST_F(TransactionsTest, LastStableOffsetOfAnEndIsThatOfTheNextOpenOne) {
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());  // at 0
  ASSERT_THAT(log_.Append(other_.Transactional(0)), IsOk());     // at 1
  ASSERT_THAT(log_.Append(producer_.Commit()), IsOk());          // at 2
  EXPECT_EQ(log_.TakeEnded(), (EndedTransaction{4000, 0, 2, 1, false}));
  ASSERT_THAT(log_.Append(producer_.Transactional(1)), IsOk());  // at 3
  ASSERT_THAT(log_.Append(producer_.Abort()), IsOk());           // at 4
  // One that began earlier is still open.
  EXPECT_EQ(log_.TakeEnded(), (EndedTransaction{4000, 3, 4, 1, true}));
}

TEST_F(TransactionsTest, MarkerWithoutATransactionEndsNone) {
  ASSERT_THAT(log_.Append(producer_.Commit()), IsOk());
  EXPECT_EQ(log_.TakeEnded(), std::nullopt);
  EXPECT_EQ(log_.states().size(), 1);
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  ASSERT_THAT(log_.Append(producer_.Commit()), IsOk());
  EXPECT_TRUE(log_.TakeEnded().has_value());
  ASSERT_THAT(log_.Append(producer_.Commit()), IsOk());  // a retry
  EXPECT_EQ(log_.TakeEnded(), std::nullopt);
}

TEST_F(TransactionsTest, DataOutsideOfTheOpenTransactionIsRefused) {
  log_.Skip(10);
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  for (const auto& batch : {producer_.Data(1), newer_.Data(0)}) {
    const auto judgement = log_.Append(batch);
    EXPECT_THAT(judgement, StatusIs(kFailedPrecondition,
                                    HasSubstr("open since offset 10")));
    EXPECT_EQ(ProducerRefusalOf(judgement.status()),
              ProducerRefusal::kOpenTransaction);
  }
  EXPECT_THAT(log_.Append(producer_.Data(-1), AppendOrigin::kCoordinator),
              StatusIs(kFailedPrecondition));
  ASSERT_THAT(log_.Append(producer_.Abort()), IsOk());
  EXPECT_THAT(log_.Append(producer_.Data(1)), IsOk());
}

TEST_F(TransactionsTest, DataOutsideOfItInTheLogLeavesItOpen) {
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  log_.Replay(producer_.Data(1));
  EXPECT_EQ(FirstUnstable(), 0);
}

TEST_F(TransactionsTest, OldCoordinatorIsRefused) {
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  ASSERT_THAT(log_.Append(producer_.Commit(7)), IsOk());
  ASSERT_THAT(log_.Append(producer_.Transactional(1)), IsOk());
  const auto judgement =
      log_.Append(producer_.Abort(6), AppendOrigin::kCoordinator);
  EXPECT_THAT(judgement,
              StatusIs(kFailedPrecondition,
                       HasSubstr("producer 4000, epoch 0: expected a marker of "
                                 "coordinator epoch 7 or later, got 6")));
  EXPECT_EQ(ProducerRefusalOf(judgement.status()),
            ProducerRefusal::kOldCoordinator);
  EXPECT_THAT(log_.Append(producer_.Abort(7), AppendOrigin::kCoordinator),
              IsOk());
}

TEST_F(TransactionsTest, OldCoordinatorInTheLogEndsTheTransaction) {
  ASSERT_THAT(log_.Append(producer_.Commit(7)), IsOk());
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  EXPECT_TRUE(log_.Replay(producer_.Commit(6)).has_value());
  EXPECT_EQ(log_.states().Find(4000)->coordinator_epoch(), 6);
}

TEST_F(TransactionsTest, MarkerOfAHigherEpochFencesTheProducer) {
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  ASSERT_THAT(log_.Append(newer_.Abort(), AppendOrigin::kCoordinator), IsOk());
  EXPECT_TRUE(log_.TakeEnded().has_value());
  EXPECT_EQ(log_.states().Find(4000)->kept_count(), 0);
  EXPECT_THAT(log_.Append(producer_.Transactional(1)),
              StatusIs(kFailedPrecondition, HasSubstr("fenced")));
  EXPECT_THAT(log_.Append(newer_.Transactional(1)),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(log_.Append(newer_.Transactional(0)), IsOk());
}

// Compaction empties the markers of transactions that it has removed.
TEST_F(TransactionsTest, EmptiedMarkerDoesNothing) {
  ASSERT_THAT(log_.Append(producer_.Transactional(0)), IsOk());
  ProducerBatch emptied = producer_.Commit();
  emptied.kind = ProducerBatch::Kind::kNone;
  EXPECT_EQ(log_.Replay(emptied), std::nullopt);
  EXPECT_EQ(FirstUnstable(), 0);
}

TEST_F(TransactionsTest, SnapshotHasTheStateOfEachProducer) {
  log_.Skip(100);
  log_.SetTime(1);
  ASSERT_THAT(log_.Append(producer_.Transactional(0, 2)), IsOk());
  ASSERT_THAT(log_.Append(other_.Transactional(5, 3)), IsOk());
  log_.SetTime(2);
  ASSERT_THAT(log_.Append(producer_.Commit(7)), IsOk());
  const ProducerSnapshot snapshot = log_.states().Snapshot(log_.end());
  EXPECT_EQ(snapshot, (ProducerSnapshot{.offset = 106,
                                        .producers = {
                                            {.producer_id = 4000,
                                             .producer_epoch = 0,
                                             .last_sequence = 1,
                                             .last_offset = 101,
                                             .offset_delta = 1,
                                             .timestamp_ms = 2,
                                             .coordinator_epoch = 7,
                                             .transaction_first_offset = -1},
                                            {.producer_id = 4001,
                                             .producer_epoch = 0,
                                             .last_sequence = 7,
                                             .last_offset = 104,
                                             .offset_delta = 2,
                                             .timestamp_ms = 1,
                                             .coordinator_epoch = -1,
                                             .transaction_first_offset = 102},
                                        }}));
}

TEST_F(TransactionsTest, OpenTransactionsOfASnapshotComeInAnyOrder) {
  log_.Reload(
      {.offset = 100,
       .producers = {{.producer_id = 4001, .transaction_first_offset = 50},
                     {.producer_id = 4000, .transaction_first_offset = 20},
                     {.producer_id = 4002, .transaction_first_offset = 70}}});
  EXPECT_EQ(FirstUnstable(), 20);
  EXPECT_EQ(log_.Replay(producer_.Abort()),
            (EndedTransaction{4000, 20, 100, 50, true}));
  EXPECT_EQ(log_.Replay(third_.Abort()),
            (EndedTransaction{4002, 70, 101, 50, true}));
  EXPECT_EQ(log_.Replay(other_.Abort()),
            (EndedTransaction{4001, 50, 102, 103, true}));
}

}  // namespace
}  // namespace varve
