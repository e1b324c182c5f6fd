// SPDX-License-Identifier: Apache-2.0

#include "varve/index/time_index.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

using Slot = TimeIndex::Slot;

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

std::vector<char> Bytes(int64_t entries) {
  return std::vector<char>(static_cast<size_t>(entries) *
                           TimeIndex::kEntrySize);
}

// Timestamps at every third millisecond from 1002 on, every offset twice.
std::vector<TimestampOffset> Fill(TimeIndex& index, int64_t count) {
  std::vector<TimestampOffset> entries;
  for (int64_t i = 0; i < count; ++i) {
    entries.push_back(
        {.timestamp_ms = 1002 + 3 * i, .offset = index.base_offset() + i / 2});
    EXPECT_THAT(index.MaybeAppend(entries.back().timestamp_ms,
                                  entries.back().offset, Slot::kFinal),
                IsOk());
  }
  EXPECT_EQ(index.entry_count(), count);
  return entries;
}

TEST(TimeIndexTest, EntryHasTheBytesOfKafka) {
  std::array<char, 24> bytes = {};
  TimeIndex index(0, absl::MakeSpan(bytes), 0);
  ASSERT_THAT(index.MaybeAppend(0x018bcfe56805, 57, Slot::kOrdinary), IsOk());
  const std::string_view expected(
      "\x00\x00\x01\x8b\xcf\xe5\x68\x05\x00\x00\x00\x39", 12);
  EXPECT_EQ(std::string_view(bytes.data(), 12), expected);
  EXPECT_EQ(index.size_bytes(), 12);
  EXPECT_EQ(index.entry(0), (TimestampOffset{0x018bcfe56805, 57}));
}

TEST(TimeIndexTest, EmptyIndexFindsNoTimestampAndTheBase) {
  TimeIndex index(1000, {}, 0);
  EXPECT_EQ(index.Lookup(kInt64Max), (TimestampOffset{-1, 1000}));
  EXPECT_EQ(index.last_entry(), (TimestampOffset{-1, 1000}));
  EXPECT_TRUE(index.is_full());
}

TEST(TimeIndexTest, LookupEqualsBruteForceForAllSmallSizes) {
  for (int64_t count = 0; count < 300; ++count) {
    std::vector<char> bytes = Bytes(count);
    TimeIndex index(500, absl::MakeSpan(bytes), 0);
    const std::vector<TimestampOffset> entries = Fill(index, count);
    for (int64_t time = 998; time <= 1002 + 3 * count + 3; ++time) {
      TimestampOffset expected = {.timestamp_ms = -1, .offset = 500};
      for (const TimestampOffset& entry : entries) {
        if (entry.timestamp_ms <= time) expected = entry;
      }
      ASSERT_EQ(index.Lookup(time), expected) << count << " " << time;
    }
  }
}

TEST(TimeIndexTest, LookupEqualsBruteForceAroundTheWarmEnd) {
  for (int64_t count : {681, 682, 683, 684, 1365, 2000}) {
    std::vector<char> bytes = Bytes(count);
    TimeIndex index(500, absl::MakeSpan(bytes), 0);
    const std::vector<TimestampOffset> entries = Fill(index, count);
    for (int64_t time = 1000; time <= 1002 + 3 * count + 3; ++time) {
      const TimestampOffset expected =
          time < 1002 ? TimestampOffset{-1, 500}
                      : entries[static_cast<size_t>(
                            std::min((time - 1002) / 3, count - 1))];
      ASSERT_EQ(index.Lookup(time), expected) << count << " " << time;
    }
  }
}

TEST(TimeIndexTest, TimestampThatDoesNotGrowIsIgnored) {
  std::vector<char> bytes = Bytes(9);
  TimeIndex index(100, absl::MakeSpan(bytes), 0);
  EXPECT_THAT(index.MaybeAppend(-1, 100, Slot::kOrdinary), IsOk());
  EXPECT_EQ(index.entry_count(), 0);
  EXPECT_THAT(index.MaybeAppend(0, 100, Slot::kOrdinary), IsOk());
  EXPECT_EQ(index.entry_count(), 1);
  EXPECT_THAT(index.MaybeAppend(0, 101, Slot::kOrdinary), IsOk());
  EXPECT_THAT(index.MaybeAppend(-5, -5, Slot::kFinal), IsOk());
  EXPECT_EQ(index.entry_count(), 1);
}

TEST(TimeIndexTest, OneSlotIsKeptForTheFinalEntry) {
  std::vector<char> bytes = Bytes(3);
  TimeIndex index(0, absl::MakeSpan(bytes), 0);
  EXPECT_THAT(index.MaybeAppend(1, 1, Slot::kOrdinary), IsOk());
  EXPECT_FALSE(index.is_full());
  EXPECT_THAT(index.MaybeAppend(2, 2, Slot::kOrdinary), IsOk());
  EXPECT_TRUE(index.is_full());
  EXPECT_THAT(index.MaybeAppend(3, 3, Slot::kOrdinary),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(index.MaybeAppend(3, 3, Slot::kFinal), IsOk());
  EXPECT_THAT(index.MaybeAppend(4, 4, Slot::kFinal),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(index.last_entry(), (TimestampOffset{3, 3}));
}

TEST(TimeIndexTest, OffsetBelowTheLastOneIsRefused) {
  std::vector<char> bytes = Bytes(9);
  TimeIndex index(0, absl::MakeSpan(bytes), 0);
  ASSERT_THAT(index.MaybeAppend(10, 10, Slot::kOrdinary), IsOk());
  EXPECT_THAT(index.MaybeAppend(11, 9, Slot::kOrdinary),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(index.MaybeAppend(11, 10, Slot::kOrdinary), IsOk());
}

TEST(TimeIndexTest, OffsetOutsideTheRangeOfInt32IsRefused) {
  std::vector<char> bytes = Bytes(9);
  TimeIndex index(100, absl::MakeSpan(bytes), 0);
  for (int64_t offset :
       {int64_t{99}, int64_t{-1}, 101 + kInt32Max, kInt64Max}) {
    EXPECT_THAT(index.MaybeAppend(5, offset, Slot::kOrdinary),
                StatusIs(absl::StatusCode::kOutOfRange));
  }
  EXPECT_THAT(index.MaybeAppend(kInt64Max, 100 + kInt32Max, Slot::kOrdinary),
              IsOk());
  EXPECT_EQ(index.last_entry(), (TimestampOffset{kInt64Max, 100 + kInt32Max}));
}

TEST(TimeIndexTest, TruncateDropsEntriesAtOrBehindTheOffset) {
  for (int64_t offset = -2; offset < 20; ++offset) {
    std::vector<char> bytes = Bytes(20);
    TimeIndex index(0, absl::MakeSpan(bytes), 0);
    const std::vector<TimestampOffset> entries = Fill(index, 20);
    index.Truncate(offset);
    EXPECT_EQ(index.entry_count(),
              std::count_if(entries.begin(), entries.end(),
                            [&](const auto& e) { return e.offset < offset; }))
        << offset;
  }
}

TEST(TimeIndexTest, SanityCheckNamesTheFirstBadEntry) {
  std::vector<char> bytes = Bytes(20);
  TimeIndex index(50, absl::MakeSpan(bytes), 0);
  Fill(index, 20);
  EXPECT_THAT(index.SanityCheck(), IsOk());
  for (size_t field : {0, 8}) {
    std::vector<char> damaged = bytes;
    damaged[5 * 12 + field] = '\xff';  // Negative.
    EXPECT_THAT(TimeIndex(50, absl::MakeSpan(damaged), 20).SanityCheck(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 5 ")));
  }
  std::copy_n(bytes.begin() + 6 * 12, 8, bytes.begin() + 7 * 12);
  EXPECT_THAT(index.SanityCheck(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 7 ")));
}

TEST(TimeIndexTest, SanityCheckRefusesAZeroTail) {
  std::vector<char> bytes = Bytes(20);
  TimeIndex index(50, absl::MakeSpan(bytes), 0);
  Fill(index, 3);
  EXPECT_THAT(TimeIndex(50, absl::MakeSpan(bytes), 20).SanityCheck(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 3 ")));
}

TEST(TimeIndexTest, RandomBytesNeverLeadOutside) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<char> bytes = Bytes(static_cast<int64_t>(random() % 900));
    for (char& byte : bytes) byte = static_cast<char>(random());
    TimeIndex index(static_cast<int64_t>(random() >> 1), absl::MakeSpan(bytes),
                    static_cast<int64_t>(bytes.size()) / 12);
    index.SanityCheck().IgnoreError();  // It may even be in order.
    for (int i = 0; i < 20; ++i) index.Lookup(static_cast<int64_t>(random()));
    index.MaybeAppend(kInt64Max, static_cast<int64_t>(random()), Slot::kFinal)
        .IgnoreError();
    index.Truncate(static_cast<int64_t>(random()));
    EXPECT_LE(index.size_bytes(), static_cast<int64_t>(bytes.size()));
  }
}

TEST(TimeIndexTest, ReadersBesideTheWriterSeeWholeEntries) {
  constexpr int64_t kCount = 20000;
  std::vector<char> bytes = Bytes(kCount);
  TimeIndex index(0, absl::MakeSpan(bytes), 0);
  std::atomic<bool> failed = false;
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      int64_t count = 0;
      while (count < kCount) {
        count = index.entry_count();
        const TimestampOffset found = index.Lookup(kInt64Max);
        if (found.timestamp_ms < 0) continue;  // Nothing was there yet.
        if (found.timestamp_ms != found.offset * 2) failed = true;
        if (found.offset < count) failed = true;  // Offsets begin at 1.
      }
    });
  }
  for (int64_t i = 1; i <= kCount; ++i) {
    ASSERT_THAT(index.MaybeAppend(2 * i, i, Slot::kFinal), IsOk());
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed);
}

}  // namespace
}  // namespace varve
