// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/snapshot_comparison.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using Kind = ProducerBatch::Kind;
using Origin = KnownProducers::Origin;

constexpr int64_t kFrom = 100;

ProducerBatch Batch(Kind kind, int64_t producer_id, int32_t base_sequence = 0) {
  ProducerBatch batch = {.kind = kind,
                         .producer_epoch = 2,
                         .base_sequence = base_sequence,
                         .producer_id = producer_id};
  if (batch.is_marker()) batch.coordinator_epoch = 9;
  return batch;
}

class SnapshotComparisonTest : public testing::Test {
 protected:
  // The next batch, at the next offset; its time is the offset.
  void Note(Kind kind, int64_t producer_id, int32_t base_sequence = 0) {
    known_.states.Note(Batch(kind, producer_id, base_sequence),
                       {.base_offset = next_, .timestamp_ms = next_});
    ++next_;
  }
  ProducerSnapshot Snapshot() { return known_.states.Snapshot(next_); }
  std::optional<SnapshotDifference> Compare(
      const std::vector<ProducerEntry>& producers) {
    return CompareSnapshot({.offset = next_, .producers = producers}, known_);
  }

  KnownProducers known_ = {.from = kFrom};
  int64_t next_ = kFrom;
};

TEST_F(SnapshotComparisonTest, WhatTheBatchesSayIsNoDifference) {
  Note(Kind::kData, 1);
  Note(Kind::kTransactional, 2);
  Note(Kind::kTransactional, 3);
  Note(Kind::kAbort, 3);
  for (const Origin origin : {Origin::kWithoutStates, Origin::kWithStates}) {
    known_.origin = origin;
    EXPECT_FALSE(Compare(Snapshot().producers));
  }
}

TEST_F(SnapshotComparisonTest, ProducerFromBeforeIsUnknownWithoutStates) {
  const ProducerEntry before = {.producer_id = 5, .last_offset = kFrom - 1};
  EXPECT_FALSE(Compare({before}));
  known_.origin = Origin::kWithStates;
  const auto difference = Compare({before});
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->producer_id, 5);
  EXPECT_EQ(difference->expected, "nothing of it");
}

TEST_F(SnapshotComparisonTest, ProducerThatAppendedNothingSinceIsADifference) {
  Note(Kind::kData, 1);
  ProducerEntry entry = {.producer_id = 5, .last_offset = kFrom};
  EXPECT_TRUE(Compare({entry}));
  entry.last_offset = -1;
  entry.transaction_first_offset = kFrom;
  EXPECT_TRUE(Compare({entry}));
}

TEST_F(SnapshotComparisonTest, TransactionFromBeforeIsUnknownWithoutStates) {
  Note(Kind::kTransactional, 1);
  ProducerEntry entry = Snapshot().producers.front();
  entry.transaction_first_offset = kFrom - 10;
  EXPECT_FALSE(Compare({entry}));
  entry.transaction_first_offset = -1;
  EXPECT_TRUE(Compare({entry}));
  entry.transaction_first_offset = kFrom - 10;
  known_.origin = Origin::kWithStates;
  EXPECT_TRUE(Compare({entry}));
}

// Of a marker alone it is not known what its producer appended before.
TEST_F(SnapshotComparisonTest, BatchBeforeAMarkerIsUnknownWithoutStates) {
  Note(Kind::kCommit, 1);
  ProducerEntry entry = Snapshot().producers.front();
  entry.last_sequence = 7;
  entry.last_offset = kFrom - 3;
  EXPECT_FALSE(Compare({entry}));
  entry.last_offset = kFrom;
  EXPECT_TRUE(Compare({entry}));
  entry.last_offset = kFrom - 3;
  known_.origin = Origin::kWithStates;
  EXPECT_TRUE(Compare({entry}));
}

TEST_F(SnapshotComparisonTest, CoordinatorFromBeforeIsUnknownWithoutStates) {
  Note(Kind::kData, 1);
  ProducerEntry entry = Snapshot().producers.front();
  entry.coordinator_epoch = 4;
  EXPECT_FALSE(Compare({entry}));
  known_.origin = Origin::kWithStates;
  EXPECT_TRUE(Compare({entry}));
}

// The writer has forgotten it, and knows what came after.
TEST_F(SnapshotComparisonTest, ProducerThatExpiredMayLackWhatCameBefore) {
  known_.origin = Origin::kWithStates;
  Note(Kind::kTransactional, 1);
  Note(Kind::kCommit, 1);
  ProducerEntry entry = Snapshot().producers.front();
  EXPECT_FALSE(Compare({}));
  entry.last_sequence = -1;
  entry.last_offset = -1;
  EXPECT_FALSE(Compare({entry}));
  Note(Kind::kData, 1, 1);
  entry = Snapshot().producers.front();
  entry.coordinator_epoch = -1;
  EXPECT_FALSE(Compare({entry}));
  // A batch at least is known then, or a marker.
  entry.last_offset = -1;
  EXPECT_TRUE(Compare({entry}));
}

TEST_F(SnapshotComparisonTest, OpenTransactionsAreNeverForgotten) {
  for (const int64_t producer : {1, 2, 3}) Note(Kind::kTransactional, producer);
  ProducerSnapshot lacking = Snapshot();
  lacking.producers.erase(lacking.producers.begin(),
                          lacking.producers.begin() + 2);
  const auto difference = Compare(lacking.producers);
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->count, 2);
  EXPECT_EQ(difference->entry, std::nullopt);
  EXPECT_EQ(difference->found, "nothing of it");
  EXPECT_THAT(difference->expected, HasSubstr("open since offset"));
}

}  // namespace
}  // namespace varve
