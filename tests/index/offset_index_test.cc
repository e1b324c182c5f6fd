// SPDX-License-Identifier: Apache-2.0

#include "varve/index/offset_index.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
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

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

std::vector<char> Bytes(int64_t entries) {
  return std::vector<char>(static_cast<size_t>(entries) *
                           OffsetIndex::kEntrySize);
}

// What Lookup has to find, by looking at all entries.
OffsetPosition Expected(const std::vector<OffsetPosition>& entries,
                        int64_t base, int64_t offset) {
  OffsetPosition found = {.offset = base, .position = 0};
  for (const OffsetPosition& entry : entries) {
    if (entry.offset <= offset) found = entry;
  }
  return found;
}

// Entries at every third offset, so that targets lie on, before and after them.
std::vector<OffsetPosition> Fill(OffsetIndex& index, int64_t count) {
  std::vector<OffsetPosition> entries;
  for (int64_t i = 0; i < count; ++i) {
    entries.push_back(
        {.offset = index.base_offset() + 2 + 3 * i, .position = 100 + 50 * i});
    EXPECT_THAT(index.Append(entries.back().offset, entries.back().position),
                IsOk());
  }
  return entries;
}

TEST(OffsetIndexTest, EntryHasTheBytesOfKafka) {
  std::array<char, 16> bytes = {};
  OffsetIndex index(0, absl::MakeSpan(bytes), 0);
  ASSERT_THAT(index.Append(57, 4159), IsOk());
  const std::string_view expected("\x00\x00\x00\x39\x00\x00\x10\x3f", 8);
  EXPECT_EQ(std::string_view(bytes.data(), 8), expected);
  EXPECT_EQ(index.size_bytes(), 8);
  EXPECT_EQ(index.entry(0), (OffsetPosition{57, 4159}));
}

TEST(OffsetIndexTest, OffsetsAreStoredRelativeToTheBase) {
  std::array<char, 8> bytes = {};
  OffsetIndex index(kInt64Max - 100, absl::MakeSpan(bytes), 0);
  ASSERT_THAT(index.Append(kInt64Max - 43, 4159), IsOk());
  EXPECT_EQ(std::string_view(bytes.data(), 4),
            std::string_view("\0\0\0\x39", 4));
  EXPECT_EQ(index.last_entry(), (OffsetPosition{kInt64Max - 43, 4159}));
}

TEST(OffsetIndexTest, EmptyIndexFindsTheBase) {
  OffsetIndex index(1000, {}, 0);
  EXPECT_EQ(index.Lookup(5000), (OffsetPosition{1000, 0}));
  EXPECT_EQ(index.last_entry(), (OffsetPosition{1000, 0}));
  EXPECT_TRUE(index.is_full());
  EXPECT_THAT(index.SanityCheck(), IsOk());
}

TEST(OffsetIndexTest, LookupEqualsBruteForceForAllSmallSizes) {
  for (int64_t count = 0; count < 300; ++count) {
    std::vector<char> bytes = Bytes(count);
    OffsetIndex index(1000, absl::MakeSpan(bytes), 0);
    const std::vector<OffsetPosition> entries = Fill(index, count);
    for (int64_t offset = 995; offset <= 1000 + 3 * count + 5; ++offset) {
      ASSERT_EQ(index.Lookup(offset), Expected(entries, 1000, offset))
          << count << " entries, offset " << offset;
    }
  }
}

TEST(OffsetIndexTest, LookupEqualsBruteForceAroundTheWarmEnd) {
  for (int64_t count : {1022, 1023, 1024, 1025, 1026, 2049, 3000}) {
    std::vector<char> bytes = Bytes(count);
    OffsetIndex index(0, absl::MakeSpan(bytes), 0);
    const std::vector<OffsetPosition> entries = Fill(index, count);
    for (int64_t offset = -1; offset <= 3 * count + 5; ++offset) {
      // Every entry is 3 after the one before it.
      const OffsetPosition expected =
          offset < 2 ? OffsetPosition{0, 0}
                     : entries[static_cast<size_t>(
                           std::min((offset - 2) / 3, count - 1))];
      ASSERT_EQ(index.Lookup(offset), expected)
          << count << " entries, offset " << offset;
    }
  }
}

TEST(OffsetIndexTest, LookupTakesTheExtremesOfInt64) {
  std::vector<char> bytes = Bytes(3000);
  OffsetIndex index(7, absl::MakeSpan(bytes), 0);
  const std::vector<OffsetPosition> entries = Fill(index, 3000);
  EXPECT_EQ(index.Lookup(std::numeric_limits<int64_t>::min()),
            (OffsetPosition{7, 0}));
  EXPECT_EQ(index.Lookup(kInt64Max), entries.back());
}

TEST(OffsetIndexTest, AppendToAFullIndexIsRefused) {
  std::vector<char> bytes = Bytes(2);
  bytes.resize(bytes.size() + 7);  // Not enough for a third.
  OffsetIndex index(0, absl::MakeSpan(bytes), 0);
  EXPECT_EQ(index.capacity(), 2);
  Fill(index, 1);
  EXPECT_FALSE(index.is_full());
  EXPECT_THAT(index.Append(10, 1000), IsOk());
  EXPECT_TRUE(index.is_full());
  EXPECT_THAT(index.Append(11, 1001),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(index.entry_count(), 2);
}

TEST(OffsetIndexTest, AppendOfWhatDoesNotGrowIsRefused) {
  std::vector<char> bytes = Bytes(9);
  OffsetIndex index(0, absl::MakeSpan(bytes), 0);
  ASSERT_THAT(index.Append(10, 1000), IsOk());
  for (const auto& [offset, position] :
       {OffsetPosition{10, 1001}, {9, 1001}, {11, 1000}, {11, 999}}) {
    EXPECT_THAT(index.Append(offset, position),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("offset 10 at position 1000")));
  }
  EXPECT_EQ(index.entry_count(), 1);
}

TEST(OffsetIndexTest, AppendOutsideTheRangeOfInt32IsRefused) {
  std::vector<char> bytes = Bytes(9);
  OffsetIndex index(100, absl::MakeSpan(bytes), 0);
  for (const auto& [offset, position] : {OffsetPosition{99, 0},
                                         {-1, 0},
                                         {101 + kInt32Max, 0},
                                         {kInt64Max, 0},
                                         {100, -1},
                                         {100, kInt32Max + 1}}) {
    EXPECT_THAT(index.Append(offset, position),
                StatusIs(absl::StatusCode::kOutOfRange))
        << offset << " " << position;
  }
  EXPECT_EQ(index.entry_count(), 0);
  EXPECT_THAT(index.Append(100, 0), IsOk());
  EXPECT_THAT(index.Append(100 + kInt32Max, kInt32Max), IsOk());
  EXPECT_EQ(index.last_entry(), (OffsetPosition{100 + kInt32Max, kInt32Max}));
}

TEST(OffsetIndexTest, TruncateDropsEntriesAtOrBehindTheOffset) {
  for (int64_t offset = -2; offset < 70; ++offset) {
    std::vector<char> bytes = Bytes(20);
    OffsetIndex index(0, absl::MakeSpan(bytes), 0);
    const std::vector<OffsetPosition> entries = Fill(index, 20);
    index.Truncate(offset);
    const auto kept =
        std::count_if(entries.begin(), entries.end(),
                      [&](const auto& e) { return e.offset < offset; });
    ASSERT_EQ(index.entry_count(), kept) << offset;
    if (kept < 20) {
      ASSERT_THAT(index.Append(500, 5000), IsOk());
    }
  }
}

TEST(OffsetIndexTest, ReopenedIndexHasTheSameEntries) {
  std::vector<char> bytes = Bytes(20);
  OffsetIndex written(50, absl::MakeSpan(bytes), 0);
  const std::vector<OffsetPosition> entries = Fill(written, 20);
  OffsetIndex reopened(50, absl::MakeSpan(bytes), 20);
  EXPECT_THAT(reopened.SanityCheck(), IsOk());
  for (int64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(reopened.entry(i), entries[static_cast<size_t>(i)]);
  }
}

TEST(OffsetIndexTest, SanityCheckNamesTheFirstBadEntry) {
  std::vector<char> bytes = Bytes(20);
  OffsetIndex index(50, absl::MakeSpan(bytes), 0);
  Fill(index, 20);
  for (size_t field : {0, 4}) {
    std::vector<char> damaged = bytes;
    damaged[5 * 8 + field] = '\xff';  // Negative.
    EXPECT_THAT(OffsetIndex(50, absl::MakeSpan(damaged), 20).SanityCheck(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 5 ")));
    damaged = bytes;
    std::copy_n(damaged.begin() + 6 * 8, 8, damaged.begin() + 7 * 8);
    EXPECT_THAT(OffsetIndex(50, absl::MakeSpan(damaged), 20).SanityCheck(),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 7 ")));
  }
}

TEST(OffsetIndexTest, SanityCheckRefusesAZeroTail) {
  std::vector<char> bytes = Bytes(20);
  OffsetIndex index(50, absl::MakeSpan(bytes), 0);
  Fill(index, 3);
  EXPECT_THAT(OffsetIndex(50, absl::MakeSpan(bytes), 20).SanityCheck(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 3 ")));
}

TEST(OffsetIndexTest, RandomBytesNeverLeadOutside) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<char> bytes = Bytes(static_cast<int64_t>(random() % 1200));
    for (char& byte : bytes) byte = static_cast<char>(random());
    const int64_t base = static_cast<int64_t>(random() >> 1);
    OffsetIndex index(base, absl::MakeSpan(bytes),
                      static_cast<int64_t>(bytes.size()) / 8);
    index.SanityCheck().IgnoreError();  // It may even be in order.
    index.last_entry();
    for (int i = 0; i < 20; ++i) index.Lookup(static_cast<int64_t>(random()));
    index.Truncate(static_cast<int64_t>(random()));
    EXPECT_LE(index.size_bytes(), static_cast<int64_t>(bytes.size()));
  }
}

TEST(OffsetIndexTest, ReadersBesideTheWriterSeeWholeEntries) {
  constexpr int64_t kCount = 20000;
  std::vector<char> bytes = Bytes(kCount);
  OffsetIndex index(0, absl::MakeSpan(bytes), 0);
  std::atomic<bool> failed = false;
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      int64_t count = 0;
      while (count < kCount) {
        count = index.entry_count();
        const OffsetPosition found = index.Lookup(kInt64Max);
        if (found.position != found.offset * 2) failed = true;
        if (found.offset < count) failed = true;  // Offsets begin at 1.
      }
    });
  }
  for (int64_t i = 1; i <= kCount; ++i) {
    ASSERT_THAT(index.Append(i, 2 * i), IsOk());
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed);
}

using OffsetIndexDeathTest = ::testing::Test;

TEST(OffsetIndexDeathTest, MoreEntriesThanBytesIsAProgrammersError) {
  std::vector<char> bytes = Bytes(2);
  EXPECT_DEATH(OffsetIndex(0, absl::MakeSpan(bytes), 3), "entry_count");
  OffsetIndex index(0, absl::MakeSpan(bytes), 1);
  EXPECT_DEATH(index.entry(1), "entry_count");
}

}  // namespace
}  // namespace varve
