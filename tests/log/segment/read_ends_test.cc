// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/read_ends.h"

#include <cstdint>
#include <optional>

#include "gtest/gtest.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {
namespace {

constexpr int64_t kBase = int64_t{1} << 40;
constexpr int kReaders = 8;

std::optional<int64_t> PositionOf(const ReadEnds& ends, int64_t offset) {
  const std::optional<BatchPlace> place = ends.Find(offset);
  if (!place.has_value()) return std::nullopt;
  EXPECT_EQ(place->base_offset, offset);
  return place->position;
}

TEST(ReadEndsTest, NothingIsKnownBeforeARead) {
  const ReadEnds ends(kBase);
  EXPECT_EQ(PositionOf(ends, kBase), std::nullopt);
  EXPECT_EQ(PositionOf(ends, kBase + 5), std::nullopt);
}

TEST(ReadEndsTest, ReadThatContinuesIsFoundAndMovesOn) {
  ReadEnds ends(kBase);
  ends.Note(kBase, {.position = 100, .base_offset = kBase + 10});
  EXPECT_EQ(PositionOf(ends, kBase + 10), 100);
  ends.Note(kBase + 10, {.position = 300, .base_offset = kBase + 20});
  EXPECT_EQ(PositionOf(ends, kBase + 20), 300);
  EXPECT_EQ(PositionOf(ends, kBase + 10), std::nullopt);
}

TEST(ReadEndsTest, EightReadersKeepTheirPlaces) {
  ReadEnds ends(kBase);
  for (int64_t step = 0; step < 5; ++step) {
    for (int64_t reader = 0; reader < kReaders; ++reader) {
      const int64_t from = kBase + reader * 1000 + step;
      ends.Note(from, {.position = reader * 10'000 + step + 1,
                       .base_offset = from + 1});
    }
  }
  for (int64_t reader = 0; reader < kReaders; ++reader) {
    EXPECT_EQ(PositionOf(ends, kBase + reader * 1000 + 5), reader * 10'000 + 5);
  }
}

TEST(ReadEndsTest, RepeatedReadTakesOnePlace) {
  ReadEnds ends(kBase);
  ends.Note(kBase + 50, {.position = 500, .base_offset = kBase + 60});
  for (int i = 0; i < 2 * kReaders; ++i) {
    ends.Note(kBase, {.position = 100, .base_offset = kBase + 10});
  }
  EXPECT_EQ(PositionOf(ends, kBase + 60), 500);
  EXPECT_EQ(PositionOf(ends, kBase + 10), 100);
}

TEST(ReadEndsTest, LaterEndOfTheSameOffsetReplacesAWrongOne) {
  ReadEnds ends(kBase);
  ends.Note(kBase, {.position = 99, .base_offset = kBase + 10});
  ends.Note(kBase + 5, {.position = 100, .base_offset = kBase + 10});
  EXPECT_EQ(PositionOf(ends, kBase + 10), 100);
}

TEST(ReadEndsTest, NinthReaderTakesTheOldestPlace) {
  ReadEnds ends(kBase);
  for (int64_t reader = 0; reader < kReaders + 1; ++reader) {
    ends.Note(kBase,
              {.position = reader + 1, .base_offset = kBase + reader + 1});
  }
  EXPECT_EQ(PositionOf(ends, kBase + 1), std::nullopt);
  EXPECT_EQ(PositionOf(ends, kBase + 2), 2);
  EXPECT_EQ(PositionOf(ends, kBase + 9), 9);
}

TEST(ReadEndsTest, EndsAtTheLimitsAreKeptAndThoseOutsideAreNot) {
  constexpr int64_t kMax = (int64_t{1} << 31) - 1;
  ReadEnds ends(kBase);
  ends.Note(kBase, {.position = kMax, .base_offset = kBase + kMax + 1});
  EXPECT_EQ(PositionOf(ends, kBase + kMax + 1), kMax);
  // What a header that no CRC was asked for may say.
  ends.Note(kBase, {.position = 61, .base_offset = kBase + (kMax + 1) * 2});
  ends.Note(kBase, {.position = 61, .base_offset = kBase - 1});
  EXPECT_EQ(PositionOf(ends, kBase + (kMax + 1) * 2), std::nullopt);
  EXPECT_EQ(PositionOf(ends, kBase), std::nullopt);
  EXPECT_EQ(PositionOf(ends, kBase - 1), std::nullopt);
}

}  // namespace
}  // namespace varve
