// SPDX-License-Identifier: Apache-2.0

// A cursor that meets damage: it stops before it, says where records can be
// read again, and continues there when it is asked to.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/next_readable_offset.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::Optional;

constexpr int64_t kCount = 20;

// A log of 20 batches of one size, several in each segment.
class CursorDamageTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    TopicConfig config;
    config.log.segment_bytes = 500;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
    for (int64_t i = 0; i < kCount; ++i) {
      ASSERT_THAT(Orders().Append({.value = absl::StrCat("value-", 100 + i)},
                                  Durability::kMemory),
                  IsOk());
    }
    ASSERT_THAT(store_->Close(), IsOk());
    for (int64_t base = 0; base < kCount; ++base) {
      if (std::filesystem::exists(LogPath(base))) bases_.push_back(base);
    }
    ASSERT_GT(bases_.size(), 2u);
    ASSERT_GT(bases_[1], 2);
  }
  StoreOptions Options() override {
    StoreOptions options;
    options.background = Background::kNone;
    options.log_sink = [](const LogMessage&) {};
    return options;
  }

  std::string LogPath(int64_t base) const {
    return path_ + "/orders-0/" + SegmentFileName(base, SegmentFileKind::kLog);
  }
  // Damages the records of the batch at `offset`, in the segment of `base`.
  void Damage(int64_t base, int64_t offset) {
    const std::string bytes = ReadBytes(LogPath(base));
    const auto batch = RecordBatch::Parse(bytes, CrcCheck::kVerify);
    ASSERT_THAT(batch, IsOk());
    const int64_t at =
        (offset - base) * batch->size() + batch_layout::kRecords + 3;
    WriteBytes(LogPath(base),
               WithBitFlipped(bytes, static_cast<size_t>(at) * 8));
  }

  // Expects all records from `begin` to before `end`, and nothing more.
  static void ExpectRecords(Cursor& cursor, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const RecordView* record = cursor.Next();
      ASSERT_NE(record, nullptr) << cursor.status();
      EXPECT_EQ(record->offset(), i);
      EXPECT_EQ(record->value(), absl::StrCat("value-", 100 + i));
    }
    EXPECT_EQ(cursor.Next(), nullptr);
  }
  // Expects damage at `position`, and records again from `next` on.
  static void ExpectDamage(Cursor& cursor, int64_t position, int64_t next) {
    for (int i = 0; i < 2; ++i) {
      EXPECT_THAT(cursor.status(), StatusIs(absl::StatusCode::kDataLoss));
      EXPECT_EQ(cursor.position(), position);
      EXPECT_THAT(cursor.next_readable(), Optional(next));
      EXPECT_EQ(NextReadableOffset(cursor.status()), next);
      EXPECT_EQ(cursor.Next(), nullptr);
    }
  }

  std::vector<int64_t> bases_;  // of the segments
};

TEST_F(CursorDamageTest, BadBatchIsDataLossUntilItIsSoughtPast) {
  Damage(0, 1);
  Open();
  Cursor cursor(Orders(), 0);
  ExpectRecords(cursor, 0, 1);
  ExpectDamage(cursor, 1, 2);
  cursor.Seek(*cursor.next_readable());
  ExpectRecords(cursor, 2, kCount);
  EXPECT_THAT(cursor.status(), IsOk());
  EXPECT_EQ(cursor.next_readable(), std::nullopt);
  EXPECT_EQ(cursor.resets(), 0);
}

TEST_F(CursorDamageTest, BadEndOfASegmentContinuesInTheNextSegment) {
  Damage(0, bases_[1] - 1);
  Open();
  Cursor cursor(Orders(), 0);
  ExpectRecords(cursor, 0, bases_[1] - 1);
  ExpectDamage(cursor, bases_[1] - 1, bases_[1]);
  cursor.Seek(*cursor.next_readable());
  ExpectRecords(cursor, bases_[1], kCount);
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST_F(CursorDamageTest, SegmentThatIsGoneContinuesInTheNextSegment) {
  Open();
  Cursor cursor(Orders(), 0);
  std::filesystem::remove(LogPath(bases_[1]));
  ExpectRecords(cursor, 0, bases_[1]);
  ExpectDamage(cursor, bases_[1], bases_[2]);
  cursor.Seek(*cursor.next_readable());
  ExpectRecords(cursor, bases_[2], kCount);
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST_F(CursorDamageTest, LastSegmentThatIsGoneContinuesAtTheEnd) {
  Open();
  Cursor cursor(Orders(), 0);
  std::filesystem::remove(LogPath(bases_.back()));
  ExpectRecords(cursor, 0, bases_.back());
  ExpectDamage(cursor, bases_.back(), kCount);
  cursor.Seek(*cursor.next_readable());
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST_F(CursorDamageTest, ReaderOfOtherProcessesSaysTheSame) {
  Damage(0, 1);
  std::filesystem::remove(LogPath(bases_[1]));
  auto store = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(store, IsOk());
  auto partition = (*store)->partition("orders", 0);
  ASSERT_THAT(partition, IsOk());
  Cursor cursor(*partition, 0);
  ExpectRecords(cursor, 0, 1);
  ExpectDamage(cursor, 1, 2);
  cursor.Seek(*cursor.next_readable());
  ExpectRecords(cursor, 2, bases_[1]);
  ExpectDamage(cursor, bases_[1], bases_[2]);
  cursor.Seek(*cursor.next_readable());
  ExpectRecords(cursor, bases_[2], kCount);
  EXPECT_THAT(cursor.status(), IsOk());
}

}  // namespace
}  // namespace varve
