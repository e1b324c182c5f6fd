// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_states.h"

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/producer/producer_log.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_refusal.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {
namespace {

using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
constexpr auto kFailedPrecondition = absl::StatusCode::kFailedPrecondition;
constexpr auto kOutOfRange = absl::StatusCode::kOutOfRange;

MATCHER(IsAppend, "") {
  return arg.ok() && arg->verdict == ProducerVerdict::kAppend;
}
MATCHER_P2(IsDuplicate, first, last, "") {
  return arg.ok() && arg->verdict == ProducerVerdict::kDuplicate &&
         arg->place.first_offset() == first && arg->place.last_offset == last;
}
// Refused with this reason, and the code and the words that go with it.
MATCHER_P3(IsRefused, reason, code, words, "") {
  return ProducerRefusalOf(arg.status()) == reason &&
         testing::ExplainMatchResult(StatusIs(code, HasSubstr(words)), arg,
                                     result_listener);
}

class ProducerStatesTest : public testing::Test {
 protected:
  const ProducerState& Known(int64_t id = 4000) {
    const ProducerState* const state = log_.states().Find(id);
    EXPECT_NE(state, nullptr);
    return *state;
  }

  ProducerLog log_;
  const Producer producer_ = {};
  const Producer newer_ = {.epoch = 1};
  const Producer other_ = {.id = 4001};
};

TEST_F(ProducerStatesTest, BatchOfNoProducerIsAppendedAndNotNoted) {
  EXPECT_THAT(log_.Append({}), IsAppend());
  EXPECT_TRUE(log_.states().empty());
}

// --- Duplicates ---

TEST_F(ProducerStatesTest, AnyOfTheLastFiveIsADuplicateWithItsPlace) {
  log_.Skip(100);
  for (int32_t i = 0; i < 5; ++i) {
    log_.SetTime(1000 + i);
    ASSERT_THAT(log_.Append(producer_.Data(10 * i, 10)), IsAppend());
  }
  for (int32_t i = 0; i < 5; ++i) {
    const auto judgement = log_.Append(producer_.Data(10 * i, 10));
    EXPECT_THAT(judgement, IsDuplicate(100 + 10 * i, 109 + 10 * i));
    EXPECT_EQ(judgement->place.timestamp_ms, 1000 + i);
  }
  EXPECT_EQ(log_.end(), 150);
}

TEST_F(ProducerStatesTest, SixthLastIsAnOldSequence) {
  for (int32_t i = 0; i < 6; ++i) {
    ASSERT_THAT(log_.Append(producer_.Data(i)), IsAppend());
  }
  EXPECT_THAT(
      log_.Append(producer_.Data(0)),
      IsRefused(ProducerRefusal::kOldSequence, absl::StatusCode::kAlreadyExists,
                "producer 4000, epoch 0: expected sequence 6, got 0"));
  EXPECT_THAT(log_.Append(producer_.Data(1)), IsDuplicate(1, 1));
}

TEST_F(ProducerStatesTest, DuplicateHasBothSequencesNotOne) {
  ASSERT_THAT(log_.Append(producer_.Data(0, 10)), IsAppend());
  EXPECT_THAT(log_.Append(producer_.Data(0, 9)),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(log_.Append(producer_.Data(1, 9)),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(log_.Append(producer_.Data(0, 11)),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(ProducerStatesTest, SequencesOfAnotherEpochAreNoDuplicate) {
  ASSERT_THAT(log_.Append(producer_.Data(0)), IsAppend());
  EXPECT_THAT(log_.Append(newer_.Data(0)), IsAppend());
  EXPECT_EQ(log_.end(), 2);
  EXPECT_EQ(Known().kept_count(), 1);
}

TEST_F(ProducerStatesTest, DuplicateIsFoundAcrossTheWrap) {
  ASSERT_THAT(log_.Append(producer_.Data(kMax - 1, 4)), IsAppend());
  EXPECT_THAT(log_.Append(producer_.Data(kMax - 1, 4)), IsDuplicate(0, 3));
}

// The next sequence after it is its own first one.
TEST_F(ProducerStatesTest, BatchOfAllSequencesIsADuplicateWhenItComesAgain) {
  ProducerBatch all = producer_.Data(0);
  all.last_offset_delta = kMax;
  ASSERT_THAT(log_.Append(all), IsAppend());
  EXPECT_EQ(Known().expected_sequence(), 0);
  EXPECT_THAT(log_.Append(all), IsDuplicate(0, kMax));
  EXPECT_THAT(log_.Append(producer_.Data(0)), IsAppend());
}

TEST_F(ProducerStatesTest, ExpectedBatchThatTheLogHasIsADuplicate) {
  log_.Replay(producer_.Data(5));
  log_.Replay(producer_.Data(4));
  EXPECT_EQ(Known().expected_sequence(), 5);
  EXPECT_THAT(log_.Append(producer_.Data(5)), IsDuplicate(0, 0));
}

// --- Epochs ---

TEST_F(ProducerStatesTest, LowerEpochIsFenced) {
  ASSERT_THAT(log_.Append(newer_.Data(0)), IsAppend());
  for (const auto origin :
       {AppendOrigin::kClient, AppendOrigin::kCoordinator}) {
    EXPECT_THAT(
        log_.Append(producer_.Data(1), origin),
        IsRefused(ProducerRefusal::kOldEpoch, kFailedPrecondition,
                  "producer 4000, epoch 0: expected epoch 1 or later, got 0"));
    EXPECT_THAT(log_.Append(producer_.Commit(), origin),
                StatusIs(kFailedPrecondition, HasSubstr("fenced")));
  }
}

TEST_F(ProducerStatesTest, LowerEpochInTheLogIsTaken) {
  ASSERT_THAT(log_.Append(newer_.Data(0)), IsAppend());
  EXPECT_THAT(log_.Append(producer_.Data(9), AppendOrigin::kLog), IsAppend());
  EXPECT_EQ(Known().epoch(), 0);
  EXPECT_EQ(Known().expected_sequence(), 10);
}

TEST_F(ProducerStatesTest, NewEpochBeginsWithZero) {
  ASSERT_THAT(log_.Append(producer_.Data(0)), IsAppend());
  EXPECT_THAT(log_.Append(newer_.Data(1)),
              IsRefused(ProducerRefusal::kSequenceGap, kOutOfRange,
                        "producer 4000, epoch 1: expected sequence 0, got 1: a "
                        "new epoch"));
  EXPECT_THAT(log_.Append(newer_.Data(0)), IsAppend());
}

TEST_F(ProducerStatesTest, EpochOfAnUnknownProducerBeginsAnywhere) {
  EXPECT_THAT(log_.Append(newer_.Data(77)), IsAppend());
  EXPECT_EQ(Known().epoch(), 1);
}

// --- Sequences ---

TEST_F(ProducerStatesTest, UnknownProducerMayBeginWithAnySequence) {
  EXPECT_THAT(log_.Append(producer_.Data(77)), IsAppend());
  EXPECT_THAT(log_.Append(producer_.Data(78)), IsAppend());
}

TEST_F(ProducerStatesTest, GapSaysWhatWasExpected) {
  ASSERT_THAT(log_.Append(producer_.Data(0, 10)), IsAppend());
  EXPECT_THAT(log_.Append(producer_.Data(12)),
              IsRefused(ProducerRefusal::kSequenceGap, kOutOfRange,
                        "producer 4000, epoch 0: expected sequence 10, got 12: "
                        "a batch before this one is missing"));
  EXPECT_EQ(log_.end(), 10);
  EXPECT_THAT(log_.Append(producer_.Data(10)), IsAppend());
}

TEST_F(ProducerStatesTest, ZeroFollowsTheLargestSequence) {
  ASSERT_THAT(log_.Append(producer_.Data(kMax)), IsAppend());
  EXPECT_THAT(log_.Append(producer_.Data(1)), StatusIs(kOutOfRange));
  EXPECT_THAT(log_.Append(producer_.Data(0)), IsAppend());
}

TEST_F(ProducerStatesTest, BatchThatWrapsIsFollowedByTheRest) {
  ASSERT_THAT(log_.Append(producer_.Data(kMax - 1, 5)), IsAppend());
  EXPECT_EQ(Known().expected_sequence(), 3);
  EXPECT_THAT(log_.Append(producer_.Data(4)), StatusIs(kOutOfRange));
  EXPECT_THAT(log_.Append(producer_.Data(kMax)),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(log_.Append(producer_.Data(3)), IsAppend());
}

TEST_F(ProducerStatesTest, GapInTheLogIsTaken) {
  ASSERT_THAT(log_.Append(producer_.Data(0)), IsAppend());
  log_.Replay(producer_.Data(5));
  EXPECT_THAT(log_.Append(producer_.Data(6)), IsAppend());
}

TEST_F(ProducerStatesTest, SequencesGoOnInTheNextTransaction) {
  ASSERT_THAT(log_.Append(producer_.Transactional(0, 3)), IsAppend());
  ASSERT_THAT(log_.Append(producer_.Commit()), IsAppend());
  EXPECT_THAT(log_.Append(producer_.Transactional(0, 3)), IsDuplicate(0, 2));
  EXPECT_THAT(log_.Append(producer_.Transactional(4)), StatusIs(kOutOfRange));
  EXPECT_THAT(log_.Append(producer_.Transactional(3)), IsAppend());
}

TEST_F(ProducerStatesTest, AfterAMarkerAloneTheFirstSequenceIsZero) {
  log_.Replay(producer_.Commit());
  EXPECT_EQ(Known().entry().last_sequence, -1);
  EXPECT_THAT(log_.Append(producer_.Data(kMax)), StatusIs(kOutOfRange));
  EXPECT_THAT(log_.Append(producer_.Data(0)), IsAppend());
}

TEST_F(ProducerStatesTest, CoordinatorsDataNeedsNoSequence) {
  ProducerBatch batch = producer_.Transactional(-1, 2);
  EXPECT_THAT(log_.Append(batch, AppendOrigin::kCoordinator), IsAppend());
  EXPECT_THAT(log_.Append(batch, AppendOrigin::kCoordinator), IsAppend());
  EXPECT_EQ(log_.end(), 4);
  EXPECT_EQ(Known().entry().last_sequence, -1);
  EXPECT_EQ(Known().entry().last_offset, 3);
  EXPECT_THAT(log_.Append(batch),
              IsRefused(ProducerRefusal::kInvalidFields,
                        absl::StatusCode::kInvalidArgument, "sequence -1"));
}

TEST_F(ProducerStatesTest, InvalidFieldsAreRefusedAndNotNoted) {
  ProducerBatch batch = producer_.Data(0);
  batch.kind = ProducerBatch::Kind::kInvalid;
  for (const auto origin :
       {AppendOrigin::kClient, AppendOrigin::kCoordinator}) {
    EXPECT_THAT(log_.Append(batch, origin),
                IsRefused(ProducerRefusal::kInvalidFields,
                          absl::StatusCode::kInvalidArgument, "producer 4000"));
  }
  EXPECT_THAT(log_.Append(batch, AppendOrigin::kLog), IsAppend());
  EXPECT_TRUE(log_.states().empty());
}

TEST_F(ProducerStatesTest, OfEqualBatchesInTheLogTheEarliestIsTheDuplicate) {
  for (int i = 0; i < 7; ++i) log_.Replay(producer_.Data(3));
  EXPECT_THAT(log_.Append(producer_.Data(3)), IsDuplicate(2, 2));
}

// --- What stays in a state ---

TEST_F(ProducerStatesTest, RefusedBatchChangesNothing) {
  ASSERT_THAT(log_.Append(producer_.Transactional(0, 3)), IsAppend());
  const ProducerSnapshot before = log_.states().Snapshot(0);
  EXPECT_FALSE(log_.Append(producer_.Data(3)).ok());
  EXPECT_FALSE(log_.Append(producer_.Transactional(9)).ok());
  EXPECT_FALSE(log_.Append(newer_.Transactional(9)).ok());
  EXPECT_EQ(log_.states().Snapshot(0), before);
}

TEST_F(ProducerStatesTest, JudgedBatchThatIsNotAppendedIsNotKnown) {
  ASSERT_EQ(log_.states().Judge(producer_.Data(5), AppendOrigin::kClient),
            ProducerVerdict::kAppend);
  EXPECT_EQ(log_.states().Find(4000), nullptr);
  EXPECT_THAT(log_.Append(producer_.Data(9)), IsAppend());
}

TEST_F(ProducerStatesTest, BatchesBelowTheSnapshotAreNotNotedAgain) {
  ASSERT_THAT(log_.Append(producer_.Data(0)), IsAppend());
  ASSERT_THAT(log_.Append(producer_.Data(1)), IsAppend());
  ProducerStates states(log_.states().Snapshot(2));
  states.Note(producer_.Data(0), {.base_offset = 0});
  states.Note(producer_.Data(1), {.base_offset = 1});
  EXPECT_EQ(states.Find(4000)->kept_count(), 1);
  states.Note(producer_.Data(2), {.base_offset = 2});
  EXPECT_EQ(states.Find(4000)->expected_sequence(), 3);
}

TEST_F(ProducerStatesTest, ReloadKnowsTheLastBatchAndReplayMore) {
  for (int32_t i = 0; i < 7; ++i) {
    ASSERT_THAT(log_.Append(producer_.Data(i)), IsAppend());
    if (i == 3) log_.Reload(log_.states().Snapshot(4));
  }
  // The one of the snapshot, and those since.
  EXPECT_EQ(Known().kept_count(), 4);
  EXPECT_THAT(log_.Append(producer_.Data(3)), IsDuplicate(3, 3));
  EXPECT_THAT(log_.Append(producer_.Data(2)),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(ProducerStatesTest, LaterEntryOfASnapshotCounts) {
  const ProducerStates states(
      {.offset = 9,
       .producers = {{.producer_id = 4, .transaction_first_offset = 3},
                     {.producer_id = 5, .transaction_first_offset = 2},
                     {.producer_id = 4, .producer_epoch = 6}}});
  EXPECT_EQ(states.size(), 2);
  EXPECT_EQ(states.Find(4)->epoch(), 6);
  EXPECT_EQ(states.first_unstable_offset(), 2);
}

}  // namespace
}  // namespace varve
