// SPDX-License-Identifier: Apache-2.0

#include "varve/index/transaction_index.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/index/big_endian.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Search = TransactionIndex::Search;
using Transactions = std::vector<AbortedTransaction>;

constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

std::vector<char> Bytes(int64_t entries) {
  return std::vector<char>(static_cast<size_t>(entries) *
                           TransactionIndex::kEntrySize);
}

// One that was alone: nothing else was open when it ended.
AbortedTransaction Alone(int64_t producer_id, int64_t first, int64_t last) {
  return {producer_id, first, last, last + 1};
}

Transactions Find(const TransactionIndex& index, OffsetRange range,
                  Search search) {
  Transactions found;
  EXPECT_EQ(index.FindOverlapping(range, found), search)
      << range.from << " to " << range.to;
  return found;
}

TEST(TransactionIndexTest, EntryHasTheBytesOfKafka) {
  std::vector<char> bytes = Bytes(1);
  TransactionIndex index(0, absl::MakeSpan(bytes), 0);
  ASSERT_THAT(index.Append({4000, 100, 102, 103}), IsOk());
  const std::string_view expected(
      "\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x0f\xa0"
      "\x00\x00\x00\x00\x00\x00\x00\x64"
      "\x00\x00\x00\x00\x00\x00\x00\x66"
      "\x00\x00\x00\x00\x00\x00\x00\x67",
      34);
  EXPECT_EQ(std::string_view(bytes.data(), bytes.size()), expected);
  EXPECT_EQ(index.size_bytes(), 34);
  EXPECT_EQ(index.entry(0), (AbortedTransaction{4000, 100, 102, 103}));
  EXPECT_THAT(index.SanityCheck(), IsOk());
}

TEST(TransactionIndexTest, EmptyIndexFindsNothingAndGoesOn) {
  const TransactionIndex index(1000, {}, 0);
  EXPECT_THAT(Find(index, {0, kInt64Max}, Search::kContinue), IsEmpty());
  EXPECT_TRUE(index.is_full());
  EXPECT_THAT(index.SanityCheck(), IsOk());
}

TEST(TransactionIndexTest, AppendToAFullIndexIsRefused) {
  std::vector<char> bytes = Bytes(1);
  bytes.resize(bytes.size() + 33);  // Not enough for a second.
  TransactionIndex index(0, absl::MakeSpan(bytes), 0);
  EXPECT_EQ(index.capacity(), 1);
  ASSERT_THAT(index.Append(Alone(1, 0, 5)), IsOk());
  EXPECT_THAT(index.Append(Alone(1, 6, 9)),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("full, with 1 entries")));
  EXPECT_EQ(index.entry_count(), 1);
}

struct Refused {
  AbortedTransaction entry;
  const char* why;
};

// In a segment with base offset 50, after an entry that ends at 60.
const Refused kRefused[] = {
    {{-1, 55, 70, 71}, "producer id is negative"},
    {{4, -1, 70, 71}, "first offset is negative"},
    {{4, 10, 49, 50}, "below the segment"},
    {{4, 70, 70, 71}, "not above the first"},
    {{4, 71, 70, 71}, "not above the first"},
    {{4, 55, 60, 61}, "does not grow"},
    {{4, 55, 59, 60}, "does not grow"},
    {{4, 55, 70, 72}, "last stable offset"},
    {{4, 55, 70, -1}, "last stable offset"},
    {{4, 55, 70, std::numeric_limits<int64_t>::min()}, "last stable offset"},
};

TEST(TransactionIndexTest, AppendOfAnImpossibleEntryIsRefused) {
  std::vector<char> bytes = Bytes(3);
  TransactionIndex index(50, absl::MakeSpan(bytes), 0);
  ASSERT_THAT(index.Append(Alone(3, 40, 60)), IsOk());
  for (const Refused& refused : kRefused) {
    EXPECT_THAT(
        index.Append(refused.entry),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(refused.why)));
    EXPECT_EQ(index.entry_count(), 1);
  }
  EXPECT_THAT(index.Append({0, 0, 61, 0}), IsOk());
  EXPECT_THAT(index.Append({0, 70, kInt64Max, kInt64Max}), IsOk());
}

TEST(TransactionIndexTest, SanityCheckNamesTheFirstBadEntry) {
  for (const Refused& refused : kRefused) {
    std::vector<char> bytes = Bytes(2);
    TransactionIndex index(50, absl::MakeSpan(bytes), 0);
    ASSERT_THAT(index.Append(Alone(3, 40, 60)), IsOk());
    char* const at = bytes.data() + TransactionIndex::kEntrySize;
    StoreBig64(at + 2, refused.entry.producer_id);
    StoreBig64(at + 10, refused.entry.first_offset);
    StoreBig64(at + 18, refused.entry.last_offset);
    StoreBig64(at + 26, refused.entry.last_stable_offset);
    EXPECT_THAT(TransactionIndex(50, absl::MakeSpan(bytes), 2).SanityCheck(),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("entry 1"), HasSubstr(refused.why))));
  }
}

TEST(TransactionIndexTest, AnotherVersionIsDataLoss) {
  for (const int at : {0, 1}) {
    std::vector<char> bytes = Bytes(1);
    TransactionIndex index(0, absl::MakeSpan(bytes), 0);
    ASSERT_THAT(index.Append(Alone(3, 40, 60)), IsOk());
    bytes[static_cast<size_t>(at)] = 1;
    EXPECT_THAT(index.SanityCheck(), StatusIs(absl::StatusCode::kDataLoss,
                                              HasSubstr("has version")));
  }
}

TEST(TransactionIndexTest, ZerosAreNoEntry) {
  std::vector<char> bytes = Bytes(2);
  EXPECT_THAT(TransactionIndex(0, absl::MakeSpan(bytes), 1).SanityCheck(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 0")));
}

TEST(TransactionIndexTest, LookupFindsWhatOverlapsTheRange) {
  std::vector<char> bytes = Bytes(3);
  TransactionIndex index(0, absl::MakeSpan(bytes), 0);
  const Transactions all = {Alone(1, 10, 20), Alone(2, 21, 30),
                            Alone(1, 40, 50)};
  for (const auto& entry : all) ASSERT_THAT(index.Append(entry), IsOk());

  EXPECT_THAT(Find(index, {0, 10}, Search::kComplete), IsEmpty());
  EXPECT_THAT(Find(index, {0, 11}, Search::kComplete), ElementsAre(all[0]));
  // The marker of the first is still in the range, and then no more.
  EXPECT_THAT(Find(index, {20, 30}, Search::kComplete),
              ElementsAre(all[0], all[1]));
  EXPECT_THAT(Find(index, {21, 30}, Search::kComplete), ElementsAre(all[1]));
  EXPECT_THAT(Find(index, {31, 40}, Search::kComplete), IsEmpty());
  EXPECT_THAT(Find(index, {31, 51}, Search::kComplete), ElementsAre(all[2]));
  EXPECT_THAT(Find(index, {31, 52}, Search::kContinue), ElementsAre(all[2]));
  EXPECT_THAT(Find(index, {51, 52}, Search::kContinue), IsEmpty());
}

// Kafka's rule: the first entry whose last stable offset is the end of the
// range or more is the last one that is looked at.
TEST(TransactionIndexTest, LookupStopsWhenNothingOlderWasOpen) {
  std::vector<char> bytes = Bytes(3);
  TransactionIndex index(0, absl::MakeSpan(bytes), 0);
  // Producer 2 begins at 15 and is still open when 1 ends at 20.
  const Transactions all = {{1, 10, 20, 15}, {2, 15, 30, 31}, {3, 32, 40, 41}};
  for (const auto& entry : all) ASSERT_THAT(index.Append(entry), IsOk());

  EXPECT_THAT(Find(index, {0, 15}, Search::kComplete), ElementsAre(all[0]));
  EXPECT_THAT(Find(index, {0, 16}, Search::kComplete),
              ElementsAre(all[0], all[1]));
  EXPECT_THAT(Find(index, {0, 31}, Search::kComplete),
              ElementsAre(all[0], all[1]));
  EXPECT_THAT(Find(index, {0, 33}, Search::kComplete),
              ElementsAre(all[0], all[1], all[2]));
}

TEST(TransactionIndexTest, LookupAddsToWhatEarlierSegmentsHad) {
  std::vector<char> bytes = Bytes(1);
  TransactionIndex index(0, absl::MakeSpan(bytes), 0);
  ASSERT_THAT(index.Append(Alone(1, 10, 20)), IsOk());
  Transactions found = {Alone(9, 1, 2)};
  index.FindOverlapping({0, 100}, found);
  EXPECT_THAT(found, ElementsAre(Alone(9, 1, 2), Alone(1, 10, 20)));
}

TEST(TransactionIndexTest, TruncateDropsMarkersFromTheOffsetOn) {
  for (int64_t offset = 0; offset <= 70; ++offset) {
    std::vector<char> bytes = Bytes(3);
    TransactionIndex index(0, absl::MakeSpan(bytes), 0);
    const Transactions all = {Alone(1, 10, 20), Alone(2, 21, 30),
                              Alone(1, 40, 50)};
    for (const auto& entry : all) ASSERT_THAT(index.Append(entry), IsOk());
    index.Truncate(offset);
    int64_t kept = 0;
    for (const auto& entry : all) kept += entry.last_offset < offset;
    EXPECT_EQ(index.entry_count(), kept) << offset;
    // What was dropped can come again.
    if (kept == 2) {
      EXPECT_THAT(index.Append(all[2]), IsOk());
    }
  }
}

// Transactions of some producers that begin and end at random; a walk over all
// of them says what has to be found.
TEST(TransactionIndexTest, LookupEqualsBruteForceOverRandomTransactions) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  std::vector<char> bytes = Bytes(2000);
  TransactionIndex index(0, absl::MakeSpan(bytes), 0);
  Transactions all;
  std::map<int64_t, int64_t> open;  // first offset by producer
  for (int64_t offset = 0; offset < 4000; ++offset) {
    const auto producer = static_cast<int64_t>(random() % 6);
    if (open.try_emplace(producer, offset).second) continue;
    const int64_t first = open[producer];
    open.erase(producer);
    int64_t stable = offset + 1;
    for (const auto& [other, begin] : open) stable = std::min(stable, begin);
    all.push_back({producer, first, offset, stable});
    ASSERT_THAT(index.Append(all.back()), IsOk());
  }
  int64_t stable = 4000;
  for (const auto& [producer, begin] : open) stable = std::min(stable, begin);
  ASSERT_THAT(index.SanityCheck(), IsOk());
  ASSERT_GT(index.entry_count(), 1000);  // more than are warm
  for (int i = 0; i < 3000; ++i) {
    OffsetRange range;
    range.to = static_cast<int64_t>(random()) & 0xfff;
    range.to = std::min(range.to, stable);
    range.from = range.to - static_cast<int64_t>(random() % 40);
    Transactions expected;
    for (const auto& entry : all) {
      if (entry.last_offset >= range.from && entry.first_offset < range.to) {
        expected.push_back(entry);
      }
    }
    Transactions found;
    index.FindOverlapping(range, found);
    ASSERT_EQ(found, expected) << range.from << " to " << range.to;
  }
}

TEST(TransactionIndexTest, NoContentsLeadOutOfTheBytes) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int i = 0; i < 200; ++i) {
    std::vector<char> bytes = Bytes(40);
    for (char& byte : bytes) byte = static_cast<char>(random());
    TransactionIndex index(0, absl::MakeSpan(bytes), 40);
    Transactions found;
    index.FindOverlapping({static_cast<int64_t>(random() >> 1), kInt64Max},
                          found);
    EXPECT_LE(found.size(), size_t{40});
    EXPECT_FALSE(index.SanityCheck().ok());
    index.Truncate(static_cast<int64_t>(random() >> 1));
  }
}

TEST(TransactionIndexTest, ReadersBesideTheWriterSeeWholeEntries) {
  std::vector<char> bytes = Bytes(5000);
  TransactionIndex index(0, absl::MakeSpan(bytes), 0);
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const int64_t count = index.entry_count();
      if (count == 0) continue;
      EXPECT_EQ(index.entry(count - 1),
                Alone(count - 1, 2 * count - 2, 2 * count - 1));
    }
  });
  for (int64_t i = 0; i < 5000; ++i) {
    ASSERT_THAT(index.Append(Alone(i, 2 * i, 2 * i + 1)), IsOk());
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace varve
