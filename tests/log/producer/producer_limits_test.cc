// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <limits>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/allocations.h"
#include "tests/log/producer/producer_log.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_refusal.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

constexpr int64_t kNow = 1'700'000'000'000;

bool Knows(ProducerLog& log, int64_t id) {
  return log.states().Find(id) != nullptr;
}

Producer Number(int64_t id) { return {.id = id}; }

// --- Expiration ---

TEST(ProducerExpirationTest, ExpiresAtTheVeryAgeAfterItWasFirstSeenUnused) {
  ProducerLog log;
  ASSERT_THAT(log.Append(Number(1).Data(0)), IsOk());
  EXPECT_EQ(log.states().Expire({.now_ms = kNow}), 0);
  EXPECT_EQ(log.states().Expire({.now_ms = kNow + 86'399'999}), 0);
  EXPECT_TRUE(Knows(log, 1));
  EXPECT_EQ(log.states().Expire({.now_ms = kNow + 86'400'000}), 1);
  EXPECT_TRUE(log.states().empty());
  EXPECT_EQ(log.states().forgotten_count(), 0);
}

TEST(ProducerExpirationTest, AppendBeginsItAnew) {
  ProducerLog log;
  ASSERT_THAT(log.Append(Number(1).Data(0)), IsOk());
  EXPECT_EQ(log.states().Expire({.now_ms = kNow}), 0);
  ASSERT_THAT(log.Append(Number(1).Data(1)), IsOk());
  EXPECT_EQ(log.states().Expire({.now_ms = kNow + 86'400'000}), 0);
  EXPECT_EQ(log.states().Expire({.now_ms = kNow + 2 * 86'399'999}), 0);
  EXPECT_EQ(log.states().Expire({.now_ms = kNow + 2 * 86'400'000}), 1);
}

TEST(ProducerExpirationTest, AfterwardsAnySequenceIsAccepted) {
  ProducerLog log;
  ASSERT_THAT(log.Append(Number(1).Data(0)), IsOk());
  EXPECT_THAT(log.Append(Number(1).Data(77)),
              StatusIs(absl::StatusCode::kOutOfRange));
  log.states().Expire({.now_ms = kNow});
  log.states().Expire({.now_ms = 2 * kNow});
  EXPECT_THAT(log.Append(Number(1).Data(77)), IsOk());
}

TEST(ProducerExpirationTest, OpenTransactionNeverExpires) {
  ProducerLog log;
  ASSERT_THAT(log.Append(Number(1).Transactional(0)), IsOk());
  EXPECT_EQ(log.states().Expire({.now_ms = kNow}), 0);
  EXPECT_EQ(log.states().Expire({.now_ms = 2 * kNow}), 0);
  EXPECT_EQ(log.states().first_unstable_offset(), 0);
  ASSERT_THAT(log.Append(Number(1).Commit()), IsOk());
  EXPECT_EQ(log.states().Expire({.now_ms = 2 * kNow}), 0);
  EXPECT_EQ(log.states().Expire({.now_ms = 3 * kNow}), 1);
}

TEST(ProducerExpirationTest, TimestampsDoNotCount) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  ProducerLog log;
  int64_t id = 0;
  for (const int64_t time_ms : {int64_t{0}, kNow, int64_t{-1}, kMax,
                                std::numeric_limits<int64_t>::min()}) {
    log.SetTime(time_ms);
    ASSERT_THAT(log.Append(Number(++id).Data(0)), IsOk());
  }
  EXPECT_EQ(log.states().Expire({.now_ms = kNow}), 0);
  EXPECT_EQ(log.states().Expire({.now_ms = kNow + 86'400'000}), 5);
  EXPECT_TRUE(log.states().empty());
}

TEST(ProducerExpirationTest, TimeOfOneThatWasLoadedBeginsAtTheFirstLook) {
  ProducerLog log;
  log.SetTime(0);
  ASSERT_THAT(log.Append(Number(1).Data(0)), IsOk());
  log.Reload(log.states().Snapshot(log.end()));
  EXPECT_EQ(log.states().Expire({.now_ms = kNow}), 0);
  EXPECT_EQ(log.states().Expire({.now_ms = kNow + 86'400'000}), 1);
}

TEST(ProducerExpirationTest, NoDifferenceOverflows) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  ProducerLog log;
  ASSERT_THAT(log.Append(Number(1).Data(0)), IsOk());
  EXPECT_EQ(log.states().Expire({.now_ms = 0, .expiration_ms = kMax}), 0);
  EXPECT_EQ(log.states().Expire({.now_ms = kMax, .expiration_ms = 0}), 1);
}

// --- The limit ---

TEST(ProducerLimitTest, TheOneNotUsedForLongestIsForgotten) {
  ProducerLog log(3);
  for (const int64_t id : {1, 2, 3}) {
    ASSERT_THAT(log.Append(Number(id).Data(0)), IsOk());
  }
  ASSERT_THAT(log.Append(Number(1).Data(1)), IsOk());
  ASSERT_THAT(log.Append(Number(4).Data(0)), IsOk());
  EXPECT_FALSE(Knows(log, 2));
  EXPECT_TRUE(Knows(log, 1));
  EXPECT_EQ(log.states().size(), 3);
  EXPECT_EQ(log.states().forgotten_count(), 1);
  // It begins anew: what was a duplicate is appended.
  EXPECT_THAT(log.Append(Number(2).Data(0)), IsOk());
  EXPECT_EQ(log.end(), 6);
  EXPECT_FALSE(Knows(log, 3));
}

TEST(ProducerLimitTest, DuplicateIsNoUse) {
  ProducerLog log(2);
  ASSERT_THAT(log.Append(Number(1).Data(0)), IsOk());
  ASSERT_THAT(log.Append(Number(2).Data(0)), IsOk());
  ASSERT_THAT(log.Append(Number(1).Data(0)), IsOk());
  ASSERT_THAT(log.Append(Number(3).Data(0)), IsOk());
  EXPECT_FALSE(Knows(log, 1));
}

TEST(ProducerLimitTest, OpenTransactionIsNeverForgotten) {
  ProducerLog log(3);
  ASSERT_THAT(log.Append(Number(1).Transactional(0)), IsOk());
  for (const int64_t id : {2, 3, 4, 5, 6}) {
    ASSERT_THAT(log.Append(Number(id).Data(0)), IsOk());
  }
  EXPECT_TRUE(Knows(log, 1));
  EXPECT_EQ(log.states().first_unstable_offset(), 0);
  // Ended, it is the one used last.
  ASSERT_THAT(log.Append(Number(1).Abort()), IsOk());
  ASSERT_THAT(log.Append(Number(7).Data(0)), IsOk());
  EXPECT_TRUE(Knows(log, 1));
  EXPECT_FALSE(Knows(log, 5));
}

TEST(ProducerLimitTest, WhenAllAreOpenAnotherProducerIsRefused) {
  ProducerLog log(2);
  ASSERT_THAT(log.Append(Number(1).Transactional(0)), IsOk());
  ASSERT_THAT(log.Append(Number(2).Transactional(0)), IsOk());
  const auto judgement = log.Append(Number(3).Data(0));
  EXPECT_THAT(judgement, StatusIs(absl::StatusCode::kResourceExhausted,
                                  HasSubstr("producer 3, epoch 0: no room")));
  EXPECT_EQ(ProducerRefusalOf(judgement.status()),
            ProducerRefusal::kTooManyTransactions);
  ASSERT_THAT(log.Append(Number(1).Commit()), IsOk());
  EXPECT_THAT(log.Append(Number(3).Data(0)), IsOk());
  EXPECT_FALSE(Knows(log, 1));
}

TEST(ProducerLimitTest, TransactionsOfTheLogAreKnownBeyondTheLimit) {
  ProducerLog log(2);
  for (const int64_t id : {1, 2, 3, 4}) {
    log.Replay(Number(id).Transactional(0));
  }
  EXPECT_EQ(log.states().size(), 4);
  EXPECT_EQ(log.states().forgotten_count(), 0);
  const ProducerStates reloaded(log.states().Snapshot(log.end()), 2);
  EXPECT_EQ(reloaded.size(), 4);
  EXPECT_EQ(reloaded.first_unstable_offset(), 0);
}

TEST(ProducerLimitTest, SnapshotKeepsTheOrderOfUse) {
  ProducerLog log;
  for (const int64_t id : {5, 3, 9, 1, 3}) {
    ASSERT_THAT(log.Append(Number(id).Data(id == 3 && log.end() > 1 ? 1 : 0)),
                IsOk());
  }
  ProducerStates reloaded(log.states().Snapshot(log.end()), 2);
  EXPECT_EQ(reloaded.size(), 2);
  EXPECT_EQ(reloaded.forgotten_count(), 2);
  EXPECT_NE(reloaded.Find(1), nullptr);
  EXPECT_NE(reloaded.Find(3), nullptr);
}

TEST(ProducerLimitTest, MovedStatesAreTheSame) {
  ProducerLog log;
  ASSERT_THAT(log.Append(Number(1).Data(0)), IsOk());
  ASSERT_THAT(log.Append(Number(2).Transactional(0)), IsOk());
  const ProducerSnapshot before = log.states().Snapshot(log.end());
  ProducerStates moved = std::move(log.states());
  EXPECT_EQ(moved.Snapshot(2), before);
  moved.Note(Number(2).Commit(), {.base_offset = 2});
  EXPECT_EQ(moved.first_unstable_offset(), std::nullopt);
}

// --- Memory ---

TEST(ProducerMemoryTest, KnownProducersAllocateNothing) {
  ProducerLog log;
  for (const int64_t id : {1, 2, 3}) {
    ASSERT_THAT(log.Append(Number(id).Transactional(0)), IsOk());
    ASSERT_THAT(log.Append(Number(id).Commit()), IsOk());
  }
  const int64_t before = Allocations::made;
  int ok = 0;
  for (int32_t i = 1; i < 100; ++i) {
    for (const int64_t id : {1, 2, 3}) {
      ok += log.Append(Number(id).Transactional(i)).ok();
      ok += log.Append(Number(id).Transactional(i)).ok();  // a duplicate
      ok += log.Append(Number(id).Abort()).ok();
    }
  }
  EXPECT_EQ(Allocations::made, before);
  EXPECT_EQ(ok, 99 * 9);
}

// What is judged can be noted, also when there is no memory any more.
TEST(ProducerMemoryTest, NoteAfterJudgeAllocatesNothing) {
  ProducerStates states;
  for (int64_t id = 0; id < 3000; ++id) {
    const ProducerBatch batch = Number(id).Data(0);
    ASSERT_EQ(states.Judge(batch, AppendOrigin::kClient),
              ProducerVerdict::kAppend);
    const int64_t before = Allocations::made;
    states.Note(batch, {.base_offset = id});
    ASSERT_EQ(Allocations::made, before) << id;
    if (id % 3 == 0) states.Expire({.now_ms = kNow, .expiration_ms = 0});
  }
}

TEST(ProducerMemoryTest, FailedAllocationChangesNothing) {
  for (int64_t left = 0; left < 3; ++left) {
    ProducerStates states;
    const ProducerBatch batch = Number(1).Data(5);
    Allocations::left = left;
    try {
      states.Note(batch, {.base_offset = 0});
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(states.empty());
      EXPECT_EQ(states.Snapshot(0), ProducerSnapshot());
    }
    Allocations::left = -1;
    states.Note(batch, {.base_offset = 0});
    EXPECT_EQ(states.Find(1)->expected_sequence(), 6);
  }
}

}  // namespace
}  // namespace varve
