// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/ended_transactions.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "varve/log/producer/producer_states.h"

namespace varve {
namespace {

EndedTransaction From(int64_t first_offset, int64_t last_offset) {
  return {.producer_id = 1,
          .first_offset = first_offset,
          .last_offset = last_offset};
}

TEST(EndedTransactionsTest, WithoutAnyNothingIsHeldBack) {
  EndedTransactions ended;
  EXPECT_EQ(ended.first_offset(), std::nullopt);
  ended.Advance(1000);
  EXPECT_EQ(ended.first_offset(), std::nullopt);
}

TEST(EndedTransactionsTest, HeldBackUntilTheMarkerIsDurable) {
  EndedTransactions ended;
  ended.Note(From(10, 20));
  EXPECT_EQ(ended.first_offset(), 10);
  ended.Advance(20);  // everything below the marker, not the marker
  EXPECT_EQ(ended.first_offset(), 10);
  ended.Advance(21);
  EXPECT_EQ(ended.first_offset(), std::nullopt);
}

TEST(EndedTransactionsTest, EarliestThatIsNotDurableCounts) {
  EndedTransactions ended;
  ended.Note(From(10, 20));
  ended.Note(From(15, 30));
  ended.Note(From(31, 40));
  EXPECT_EQ(ended.first_offset(), 10);
  ended.Advance(21);
  EXPECT_EQ(ended.first_offset(), 15);
  ended.Advance(31);
  EXPECT_EQ(ended.first_offset(), 31);
}

TEST(EndedTransactionsTest, LongTransactionCoversThoseWithinIt) {
  EndedTransactions ended;
  ended.Note(From(15, 20));
  ended.Note(From(21, 25));
  ended.Note(From(10, 30));
  EXPECT_EQ(ended.first_offset(), 10);
  ended.Advance(26);
  EXPECT_EQ(ended.first_offset(), 10);
  ended.Advance(31);
  EXPECT_EQ(ended.first_offset(), std::nullopt);
}

// More than are kept: never above what all of them say, and right again once
// they are durable.
TEST(EndedTransactionsTest, TooManyHoldBackMoreAndNeverLess) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (const int markers_per_sync : {3, 60, 400}) {
    EndedTransactions ended;
    std::vector<EndedTransaction> all;
    int64_t exact = 0;
    int64_t offset = 100;
    for (int i = 0; i < 3000; ++i) {
      offset += 2;
      all.push_back(
          From(offset - 1 - static_cast<int64_t>(random() % 100), offset));
      ended.Note(all.back());
      int64_t durable_end = 0;
      if (i % markers_per_sync == 0) {
        durable_end = offset - static_cast<int64_t>(random() % 40);
        ended.Advance(durable_end);
        std::erase_if(all, [&](const EndedTransaction& t) {
          return t.last_offset < durable_end;
        });
      }
      std::optional<int64_t> first;
      for (const EndedTransaction& t : all) {
        first = std::min(first.value_or(t.first_offset), t.first_offset);
      }
      ASSERT_EQ(first.has_value(), ended.first_offset().has_value());
      if (first.has_value()) {
        ASSERT_LE(*ended.first_offset(), *first) << i;
        exact += *ended.first_offset() == *first;
      } else {
        ++exact;
      }
    }
    if (markers_per_sync == 3) {
      EXPECT_EQ(exact, 3000);
    }
    ended.Advance(offset + 1);
    EXPECT_EQ(ended.first_offset(), std::nullopt);
  }
}

}  // namespace
}  // namespace varve
