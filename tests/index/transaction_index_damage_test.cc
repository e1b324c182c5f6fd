// SPDX-License-Identifier: Apache-2.0

#include "varve/index/transaction_index_damage.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status_matchers.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/index/big_endian.h"
#include "varve/index/transaction_index.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::HasSubstr;

constexpr int64_t kBaseOffset = 50;
constexpr int64_t kEntrySize = TransactionIndex::kEntrySize;

// The file of a segment with `count` transactions.
std::string FileOf(int count) {
  std::string bytes(static_cast<size_t>(count * kEntrySize), '\0');
  TransactionIndex index(kBaseOffset, absl::MakeSpan(bytes), 0);
  for (int i = 0; i < count; ++i) {
    const int64_t last = kBaseOffset + 10 * i + 5;
    EXPECT_THAT(index.Append({7, last - 3, last, last + 1}), IsOk());
  }
  return bytes;
}

std::optional<TransactionIndexDamage> Find(
    std::string bytes, IndexWriter writer = IndexWriter::kVarve) {
  return FindTransactionIndexDamage(kBaseOffset, std::move(bytes), writer);
}

TEST(TransactionIndexDamageTest, SoundFilesHaveNone) {
  for (const int count : {0, 1, 2, 9}) EXPECT_FALSE(Find(FileOf(count)));
}

TEST(TransactionIndexDamageTest, FirstUnsoundEntryIsFoundAtEveryPlace) {
  for (const int count : {1, 2, 3, 8, 9}) {
    for (int bad = 0; bad < count; ++bad) {
      std::string bytes = FileOf(count);
      for (const int also : {count - 1, bad})
        bytes[static_cast<size_t>(also * kEntrySize)] = 1;
      const auto damage = Find(bytes);
      ASSERT_TRUE(damage.has_value());
      EXPECT_EQ(damage->position, bad * kEntrySize);
      EXPECT_THAT(damage->what, HasSubstr("has version 256"));
    }
  }
}

TEST(TransactionIndexDamageTest, EntryThatDoesNotGrowIsTheDamagedOne) {
  std::string bytes = FileOf(4);
  // The last offset of the third entry.
  StoreBig64(bytes.data() + 2 * kEntrySize + 18, kBaseOffset + 15);
  const auto damage = Find(bytes);
  ASSERT_TRUE(damage.has_value());
  EXPECT_EQ(damage->position, 2 * kEntrySize);
  EXPECT_THAT(damage->what, HasSubstr("entry 2"));
}

TEST(TransactionIndexDamageTest, StableOffsetBehindTheMarkerIsKafkasAlone) {
  std::string bytes = FileOf(2);
  StoreBig64(bytes.data() + 26, kBaseOffset + 9);
  EXPECT_FALSE(Find(bytes, IndexWriter::kKafka));
  const auto damage = Find(bytes);
  ASSERT_TRUE(damage.has_value());
  EXPECT_EQ(damage->position, 0);
  EXPECT_THAT(damage->what, HasSubstr("last stable offset"));
  // Others are damage whoever wrote them.
  StoreBig64(bytes.data() + 26, -1);
  EXPECT_TRUE(Find(bytes, IndexWriter::kKafka));
}

TEST(TransactionIndexDamageTest, EveryCutWithinAnEntryIsDamageAtItsBeginning) {
  const std::string whole = FileOf(3);
  for (int64_t size = 0; size < static_cast<int64_t>(whole.size()); ++size) {
    const auto damage = Find(whole.substr(0, static_cast<size_t>(size)));
    if (size % kEntrySize == 0) {
      EXPECT_FALSE(damage.has_value()) << size;
      continue;
    }
    ASSERT_TRUE(damage.has_value()) << size;
    EXPECT_EQ(damage->position, size / kEntrySize * kEntrySize);
    EXPECT_THAT(damage->what, HasSubstr("ends within an entry of 34 bytes"));
  }
}

}  // namespace
}  // namespace varve
