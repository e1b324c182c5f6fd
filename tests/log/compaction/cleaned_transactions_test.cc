// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/cleaned_transactions.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/compaction/batch_log.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

using ::testing::ElementsAre;

using Kind = CleanedTransaction::Kind;

class CleanedTransactionsTest : public ::testing::Test {
 protected:
  // The kinds of all batches from `first` on, in one walk.
  std::vector<Kind> Walk(size_t first = 0) {
    std::vector<Kind> kinds;
    for (size_t i = first; i < log_.batches.size(); ++i) {
      const CleanedTransaction batch = transactions_.Next(log_.batch(i));
      kinds.push_back(batch.kind);
      if (batch.index_entry.has_value()) entries_.push_back(*batch.index_entry);
    }
    return kinds;
  }

  BatchLog log_;
  CleanedTransactions transactions_;
  std::vector<AbortedTransaction> entries_;
};

TEST_F(CleanedTransactionsTest, BatchesOutsideOfTransactionsAreData) {
  log_.Append({Put("a", "1")});
  log_.Append({Put("a", "2")}, {.producer_id = 1, .base_sequence = 0});
  // Also those of a producer whose transaction was aborted.
  transactions_.AddAborted({{1, 0, 5, 6}});
  EXPECT_THAT(Walk(), ElementsAre(Kind::kData, Kind::kData));
}

TEST_F(CleanedTransactionsTest, TransactionsOfTwoProducersOverlap) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.AppendTransactional(2, Put("b", "2"));
  log_.AppendTransactional(1, Put("c", "3"));
  log_.AppendMarker(2, ControlRecordType::kCommit);
  log_.Abort(1, 0);
  transactions_.AddAborted(log_.aborted);
  EXPECT_THAT(Walk(), ElementsAre(Kind::kAborted, Kind::kData, Kind::kAborted,
                                  Kind::kMarker, Kind::kMarker));
  EXPECT_EQ(entries_, log_.aborted);
}

TEST_F(CleanedTransactionsTest, MarkersWithoutABatchAreSpent) {
  log_.AppendMarker(1, ControlRecordType::kCommit);
  log_.Abort(2, 0);
  log_.AppendMarker(3, ControlRecordType::kAbort);
  transactions_.AddAborted(log_.aborted);
  EXPECT_THAT(Walk(), ElementsAre(Kind::kSpentMarker, Kind::kSpentMarker,
                                  Kind::kSpentMarker));
  EXPECT_TRUE(entries_.empty());
}

TEST_F(CleanedTransactionsTest, ASecondMarkerIsSpent) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.Abort(1, 0);
  log_.AppendMarker(1, ControlRecordType::kAbort);
  log_.AppendTransactional(2, Put("a", "1"));
  log_.AppendMarker(2, ControlRecordType::kCommit);
  log_.AppendMarker(2, ControlRecordType::kCommit);
  transactions_.AddAborted(log_.aborted);
  EXPECT_THAT(Walk(),
              ElementsAre(Kind::kAborted, Kind::kMarker, Kind::kSpentMarker,
                          Kind::kData, Kind::kMarker, Kind::kSpentMarker));
}

TEST_F(CleanedTransactionsTest, ATransactionAddedWithEachSegmentIsOne) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.AppendTransactional(1, Put("a", "2"));
  log_.Abort(1, 0);
  transactions_.AddAborted(log_.aborted);
  EXPECT_EQ(transactions_.Next(log_.batch(0)).kind, Kind::kAborted);
  transactions_.AddAborted(log_.aborted);
  EXPECT_THAT(Walk(1), ElementsAre(Kind::kAborted, Kind::kMarker));
  EXPECT_EQ(entries_, log_.aborted);
}

TEST_F(CleanedTransactionsTest, AWalkMayBeginInTheMiddleOfATransaction) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.AppendTransactional(1, Put("a", "2"));
  log_.Abort(1, 0);
  log_.AppendTransactional(1, Put("a", "3"));
  transactions_.AddAborted(log_.aborted);
  EXPECT_THAT(Walk(1), ElementsAre(Kind::kAborted, Kind::kMarker, Kind::kData));
}

TEST_F(CleanedTransactionsTest, OneThatEndedBeforeTheWalkHidesNothing) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.Abort(1, 0);
  log_.AppendTransactional(1, Put("a", "3"));
  transactions_.AddAborted(log_.aborted);
  EXPECT_THAT(Walk(2), ElementsAre(Kind::kData));
}

TEST_F(CleanedTransactionsTest, OneWhoseMarkerIsGoneEndsWhereItWas) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.Abort(1, 0);
  log_.AppendTransactional(1, Put("a", "3"));
  log_.AppendTransactional(1, Put("a", "4"));
  log_.Abort(1, 3);
  log_.batches.erase(log_.batches.begin() + 1);
  transactions_.AddAborted(log_.aborted);
  EXPECT_THAT(Walk(), ElementsAre(Kind::kAborted, Kind::kData, Kind::kAborted,
                                  Kind::kMarker));
  EXPECT_THAT(entries_, ElementsAre(log_.aborted[1]));
}

TEST_F(CleanedTransactionsTest, TheOrderInWhichTheyAreAddedDoesNotMatter) {
  log_.AppendTransactional(1, Put("a", "1"));
  log_.Abort(1, 0);
  log_.AppendTransactional(1, Put("a", "2"));
  log_.Abort(1, 2);
  transactions_.AddAborted({log_.aborted[1], log_.aborted[0]});
  EXPECT_THAT(Walk(), ElementsAre(Kind::kAborted, Kind::kMarker, Kind::kAborted,
                                  Kind::kMarker));
  EXPECT_EQ(entries_, log_.aborted);
}

}  // namespace
}  // namespace varve
