// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/committed_filter.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/allocations.h"
#include "varve/index/big_endian.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;

using Transactions = std::vector<AbortedTransaction>;

constexpr auto kCommitted = BatchOutcome::kCommitted;
constexpr auto kAborted = BatchOutcome::kAborted;
constexpr auto kMarker = BatchOutcome::kMarker;

// Batches one after another, as a log holds them.
class Batches {
 public:
  explicit Batches(int64_t next_offset) : next_offset_(next_offset) {}

  Batches& Plain() { return Add({}, 1); }
  Batches& Idempotent(int64_t producer_id) {
    return Add(
        {.producer_id = producer_id, .producer_epoch = 0, .base_sequence = 0},
        1);
  }
  Batches& Transaction(int64_t producer_id, int records = 1) {
    return Add({.producer_id = producer_id,
                .producer_epoch = 0,
                .base_sequence = 0,
                .transactional = Transactional::kYes},
               records);
  }
  Batches& Commit(int64_t producer_id) {
    return Marker(producer_id, ControlRecordType::kCommit);
  }
  Batches& Abort(int64_t producer_id) {
    return Marker(producer_id, ControlRecordType::kAbort);
  }

  // What the filter says of the batches from number `from` on.
  std::vector<BatchOutcome> Walk(const Transactions& aborted,
                                 size_t from = 0) const {
    CommittedFilter filter(aborted);
    std::vector<BatchOutcome> outcomes;
    for (size_t i = from; i < batches_.size(); ++i) {
      outcomes.push_back(filter.Next(RecordBatch(batches_[i])));
    }
    return outcomes;
  }

  const std::string& batch(size_t i) const { return batches_[i]; }
  int64_t next_offset() const { return next_offset_; }
  size_t size() const { return batches_.size(); }

 private:
  Batches& Marker(int64_t producer_id, ControlRecordType type) {
    RecordBatchBuilder builder({.producer_id = producer_id,
                                .producer_epoch = 0,
                                .transactional = Transactional::kYes,
                                .kind = BatchKind::kControl});
    const ControlRecordKey key(type);
    const EndTransactionValue value(0);
    EXPECT_THAT(builder.Append({.key = key.bytes(), .value = value.bytes()}, 5),
                IsOk());
    return Place(builder, 1);
  }
  Batches& Add(const BatchOptions& options, int records) {
    RecordBatchBuilder builder(options);
    for (int i = 0; i < records; ++i) {
      EXPECT_THAT(builder.Append({.value = "v"}, 5), IsOk());
    }
    return Place(builder, records);
  }
  Batches& Place(RecordBatchBuilder& builder, int records) {
    batches_.emplace_back(builder.Finish().bytes());
    StoreBig64(batches_.back().data(), next_offset_);
    next_offset_ += records;
    return *this;
  }

  std::vector<std::string> batches_;
  int64_t next_offset_;
};

TEST(CommittedFilterTest, WithoutAbortedTransactionsAllDataIsCommitted) {
  const auto batches =
      Batches(0).Plain().Idempotent(1).Transaction(2).Commit(2);
  EXPECT_THAT(batches.Walk({}),
              ElementsAre(kCommitted, kCommitted, kCommitted, kMarker));
}

TEST(CommittedFilterTest, AbortedFromItsFirstOffsetToItsMarker) {
  const auto batches = Batches(0)
                           .Transaction(1)  // committed at 1
                           .Commit(1)
                           .Transaction(1)  // aborted: 2 to 4
                           .Transaction(1)
                           .Abort(1)
                           .Transaction(1)  // committed at 6
                           .Commit(1);
  EXPECT_THAT(batches.Walk({{1, 2, 4, 5}}),
              ElementsAre(kCommitted, kMarker, kAborted, kAborted, kMarker,
                          kCommitted, kMarker));
}

TEST(CommittedFilterTest, OtherProducersInBetweenAreCommitted) {
  const auto batches = Batches(0)
                           .Transaction(1)
                           .Transaction(2)
                           .Plain()
                           .Idempotent(1)
                           .Transaction(1)
                           .Commit(2)
                           .Abort(1);
  EXPECT_THAT(batches.Walk({{1, 0, 6, 7}}),
              ElementsAre(kAborted, kCommitted, kCommitted, kCommitted,
                          kAborted, kMarker, kMarker));
}

TEST(CommittedFilterTest, WalkMayBeginInsideOfATransaction) {
  const auto batches =
      Batches(0).Transaction(1).Transaction(1).Abort(1).Transaction(1);
  EXPECT_THAT(batches.Walk({{1, 0, 2, 3}}, 1),
              ElementsAre(kAborted, kMarker, kCommitted));
}

TEST(CommittedFilterTest, BatchThatHoldsTheFirstOffsetIsAborted) {
  // The walk begins at 12, inside of a batch of offsets 10 to 14.
  const auto batches = Batches(10).Transaction(1, 5).Abort(1);
  EXPECT_THAT(batches.Walk({{1, 10, 15, 16}}), ElementsAre(kAborted, kMarker));
}

TEST(CommittedFilterTest, CommitMarkerDoesNotEndAnAbortedTransaction) {
  const auto batches =
      Batches(0).Transaction(1).Commit(1).Transaction(1).Abort(1);
  EXPECT_THAT(batches.Walk({{1, 0, 3, 4}}),
              ElementsAre(kAborted, kMarker, kAborted, kMarker));
}

TEST(CommittedFilterTest, TransactionsMayComeInTheOrderOfTheirMarkers) {
  const auto batches = Batches(0)
                           .Transaction(1)
                           .Transaction(2)
                           .Abort(2)
                           .Transaction(1)
                           .Transaction(2)
                           .Abort(1);
  EXPECT_THAT(
      batches.Walk({{2, 1, 2, 0}, {1, 0, 5, 4}}),
      ElementsAre(kAborted, kAborted, kMarker, kAborted, kCommitted, kMarker));
}

TEST(CommittedFilterTest, BeginsWhenABatchReachesItNotBefore) {
  const auto batches = Batches(0).Transaction(1, 3).Commit(1).Transaction(1);
  // It begins at 4, behind the marker at 3.
  EXPECT_THAT(batches.Walk({{1, 4, 9, 10}}),
              ElementsAre(kCommitted, kMarker, kAborted));
}

TEST(CommittedFilterTest, MarkerThatCannotBeReadEndsNothing) {
  RecordBatchBuilder builder({.producer_id = 1,
                              .producer_epoch = 0,
                              .transactional = Transactional::kYes,
                              .kind = BatchKind::kControl});
  ASSERT_THAT(builder.Append({.key = "", .value = ""}, 5), IsOk());
  const std::string marker(builder.Finish().bytes());
  const auto batches = Batches(0).Transaction(1);
  CommittedFilter filter(Transactions{{1, 0, 9, 10}});
  EXPECT_EQ(filter.Next(RecordBatch(batches.batch(0))), kAborted);
  EXPECT_EQ(filter.Next(RecordBatch(marker)), kMarker);
  EXPECT_EQ(filter.Next(RecordBatch(batches.batch(0))), kAborted);
}

TEST(CommittedFilterTest, WithoutAbortedTransactionsNothingIsAllocated) {
  const auto batches = Batches(0).Plain().Transaction(2).Commit(2);
  const int64_t before = Allocations::made;
  CommittedFilter filter({});
  for (size_t i = 0; i < batches.size(); ++i) {
    filter.Next(RecordBatch(batches.batch(i)));
  }
  EXPECT_EQ(Allocations::made, before);
}

// Transactions at random; the index says which are aborted, from any batch on.
TEST(CommittedFilterTest, WalkFromAnywhereAgreesWithTheOutcomes) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  Batches batches(0);
  std::vector<BatchOutcome> outcomes;
  std::map<int64_t, std::vector<size_t>> open;  // batches, by producer
  Transactions all;
  std::vector<char> bytes(400 * TransactionIndex::kEntrySize);
  TransactionIndex index(0, absl::MakeSpan(bytes), 0);
  while (batches.size() < 400 || !open.empty()) {
    const auto producer = static_cast<int64_t>(random() % 4);
    const bool is_open = open.contains(producer);
    if (batches.size() < 400 && (!is_open || random() % 3 != 0)) {
      open[producer].push_back(batches.size());
      batches.Transaction(producer, 1 + static_cast<int>(random() % 3));
      outcomes.push_back(kCommitted);
      continue;
    }
    if (!is_open) continue;
    const std::vector<size_t> ended = std::exchange(open[producer], {});
    open.erase(producer);
    const int64_t marker = batches.next_offset();
    outcomes.push_back(kMarker);
    if (random() % 2 == 0) {
      batches.Commit(producer);
      continue;
    }
    batches.Abort(producer);
    for (const size_t i : ended) outcomes[i] = kAborted;
    int64_t stable = marker + 1;
    for (const auto& [other, begun] : open) {
      stable = std::min(
          stable, RecordBatch(batches.batch(begun.front())).base_offset());
    }
    ASSERT_THAT(
        index.Append({producer,
                      RecordBatch(batches.batch(ended.front())).base_offset(),
                      marker, stable}),
        IsOk());
  }
  for (size_t from = 0; from < batches.size(); ++from) {
    Transactions aborted;
    index.FindOverlapping(
        {RecordBatch(batches.batch(from)).base_offset(), batches.next_offset()},
        aborted);
    ASSERT_EQ(
        batches.Walk(aborted, from),
        std::vector<BatchOutcome>(outcomes.begin() + static_cast<int64_t>(from),
                                  outcomes.end()))
        << "from batch " << from;
  }
}

}  // namespace
}  // namespace varve
