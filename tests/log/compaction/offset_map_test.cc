// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/offset_map.h"

#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "tests/log/compaction/zeroed_offset_map.h"
#include "varve/log/compaction/key_hash.h"

namespace varve {
namespace {

using PutResult = OffsetMap::PutResult;

constexpr HashSecret kSecret = {11, 22};

std::string Key(int64_t i) { return "key " + std::to_string(i); }

OffsetMap::Options Bytes(int64_t bytes) {
  return {.memory_bytes = bytes, .secret = kSecret};
}

TEST(OffsetMapTest, AKeyThatWasNotPutIsNotFound) {
  ZeroedOffsetMap map(Bytes(4096));
  EXPECT_EQ(map->Find("a"), std::nullopt);
  EXPECT_EQ(map->Put("a", 0), PutResult::kStored);
  EXPECT_EQ(map->Find("a"), 0);
  EXPECT_EQ(map->Find("b"), std::nullopt);
}

TEST(OffsetMapTest, TheLargestOffsetOfAKeyStays) {
  ZeroedOffsetMap map(Bytes(4096));
  EXPECT_EQ(map->Put("a", 7), PutResult::kStored);
  EXPECT_EQ(map->Put("a", 9), PutResult::kStored);
  EXPECT_EQ(map->Put("a", 8), PutResult::kStored);
  EXPECT_EQ(map->Find("a"), 9);
  EXPECT_EQ(map->size(), 1);
}

TEST(OffsetMapTest, EmptyLongAndBinaryKeysAreKeys) {
  ZeroedOffsetMap map(Bytes(4096));
  const std::string zeros(3, '\0');
  const std::string more_zeros(4, '\0');
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(map->Put("", 1), PutResult::kStored);
  EXPECT_EQ(map->Put(zeros, 2), PutResult::kStored);
  EXPECT_EQ(map->Put(more_zeros, 3), PutResult::kStored);
  EXPECT_EQ(map->Put(large, 4), PutResult::kStored);
  EXPECT_EQ(map->Find(""), 1);
  EXPECT_EQ(map->Find(zeros), 2);
  EXPECT_EQ(map->Find(more_zeros), 3);
  EXPECT_EQ(map->Find(large), 4);
}

TEST(OffsetMapTest, TheLargestOffsetOfALogIsHeld) {
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max() - 1;
  ZeroedOffsetMap map(Bytes(4096));
  EXPECT_EQ(map->Put("a", kLast), PutResult::kStored);
  EXPECT_EQ(map->Find("a"), kLast);
}

TEST(OffsetMapTest, ItIsFullAtNineTenths) {
  ZeroedOffsetMap map(Bytes(1000 * OffsetMap::kBytesPerSlot));
  EXPECT_EQ(map->capacity(), 900);
  EXPECT_EQ(map->memory_bytes(), 24000);
  for (int64_t i = 0; i < 900; ++i) {
    ASSERT_EQ(map->Put(Key(i), i), PutResult::kStored);
  }
  EXPECT_EQ(map->Put(Key(900), 900), PutResult::kFull);
  EXPECT_EQ(map->size(), 900);
  EXPECT_EQ(map->Find(Key(900)), std::nullopt);
}

TEST(OffsetMapTest, AKnownKeyHasRoomInAFullMap) {
  ZeroedOffsetMap map(Bytes(OffsetMap::kMemoryBytesMin));
  int64_t count = 0;
  while (map->Put(Key(count), count) == PutResult::kStored) ++count;
  EXPECT_EQ(count, map->capacity());
  EXPECT_EQ(map->Put(Key(3), 1000), PutResult::kStored);
  EXPECT_EQ(map->Find(Key(3)), 1000);
  for (int64_t i = 0; i < count; ++i) {
    EXPECT_EQ(map->Find(Key(i)), i == 3 ? 1000 : i);
  }
}

TEST(OffsetMapTest, FewKeysTakeLittleMemory) {
  for (int64_t keys = 0; keys < 300; ++keys) {
    ZeroedOffsetMap map({.keys_max = keys, .secret = kSecret});
    EXPECT_LE(map->memory_bytes(), (keys + keys / 8 + 2) * 24);
    EXPECT_GE(map->capacity(), keys);
    for (int64_t i = 0; i < keys; ++i) {
      ASSERT_EQ(map->Put(Key(i), i), PutResult::kStored) << keys;
    }
  }
}

TEST(OffsetMapTest, NoNumberOfKeysTakesMoreMemoryThanItMay) {
  for (const int64_t keys : {int64_t{1} << 40, OffsetMap::kMemoryBytesMax,
                             std::numeric_limits<int64_t>::max()}) {
    ZeroedOffsetMap map({.memory_bytes = 24'011, .keys_max = keys});
    EXPECT_EQ(map->memory_bytes(), 24'000);
  }
}

TEST(OffsetMapTest, WhatHasALaterOffsetIsNotedByItsOwn) {
  ZeroedOffsetMap map({.noted_max = 3, .secret = kSecret});
  map->NoteFrom(10);
  EXPECT_EQ(map->Put("a", 10), PutResult::kStored);
  EXPECT_EQ(map->Put("b", 11), PutResult::kStored);
  EXPECT_EQ(map->Put(map->Prepare("a"), 12), PutResult::kStored);
  EXPECT_EQ(map->Put("c", 13), PutResult::kStored);
  EXPECT_EQ(map->Put("a", 14), PutResult::kStored);
  EXPECT_EQ(map->Put("c", 15), PutResult::kStored);
  EXPECT_TRUE(map->HasLater("a", 10));
  EXPECT_FALSE(map->HasLater("b", 11));
  EXPECT_TRUE(map->HasLater("a", 12));
  EXPECT_TRUE(map->HasLater("not asked for", 12));
  // Before and after the notes, the key is looked for.
  EXPECT_TRUE(map->HasLater("a", 9));
  EXPECT_FALSE(map->HasLater("d", 9));
  EXPECT_TRUE(map->HasLater("c", 13));
  EXPECT_FALSE(map->HasLater("d", 13));
  EXPECT_FALSE(map->HasLater("a", 14));
  EXPECT_FALSE(map->HasLater("c", 15));
}

// Full maps, of all that it holds and much that it does not.
TEST(OffsetMapTest, AgreesWithAnOrderedMap) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int round = 0; round < 30; ++round) {
    const int64_t slots = 24 + static_cast<int64_t>(random() % 500);
    ZeroedOffsetMap map({.memory_bytes = slots * OffsetMap::kBytesPerSlot,
                         .secret = {random(), random()}});
    std::map<std::string, int64_t> model;
    for (int64_t offset = 0; offset < 5 * slots; ++offset) {
      const std::string key = Key(
          static_cast<int64_t>(random() % static_cast<uint64_t>(2 * slots)));
      const bool fits = model.contains(key) ||
                        static_cast<int64_t>(model.size()) < map->capacity();
      ASSERT_EQ(map->Put(key, offset),
                fits ? PutResult::kStored : PutResult::kFull);
      if (fits) model[key] = offset;
      ASSERT_EQ(map->size(), static_cast<int64_t>(model.size()));
    }
    for (int64_t i = 0; i < 3 * slots; ++i) {
      const auto it = model.find(Key(i));
      ASSERT_EQ(map->Find(Key(i)), it == model.end()
                                       ? std::nullopt
                                       : std::optional<int64_t>(it->second));
    }
  }
}

}  // namespace
}  // namespace varve
