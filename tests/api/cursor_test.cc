// SPDX-License-Identifier: Apache-2.0

// A cursor over a partition of an open store. Those over other processes' files
// are in read_only/read_only_cursor_test.cc.

#include "varve/api/cursor.h"

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

using Code = absl::StatusCode;

// One batch at a time, so that a cursor looks at the log at each.
constexpr ReadOptions kBatchwise = {.max_bytes = 0};

class CursorTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    TopicConfig config;
    config.log.segment_bytes = 500;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  }
  StoreOptions Options() override {
    StoreOptions options;
    options.environment.files = &files_;
    options.background = Background::kNone;
    return options;
  }

  void Append(std::string_view value) {
    ASSERT_THAT(Orders().Append({.value = value}, Durability::kMemory), IsOk());
  }
  void AppendMany(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      Append(absl::StrCat("value-", 100 + Orders().visible_end()));
    }
  }
  // One batch of `count` records.
  void AppendBatch(int count) {
    RecordBatchBuilder builder;
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(builder.Append({.value = "v"}, absl::Now()), IsOk());
    }
    ASSERT_THAT(Orders().Append(builder.Finish(), Durability::kMemory), IsOk());
  }

  // The offsets of the records that it returns without waiting.
  static std::vector<int64_t> Rest(Cursor& cursor) {
    std::vector<int64_t> offsets;
    while (const RecordView* record = cursor.Next()) {
      offsets.push_back(record->offset());
    }
    return offsets;
  }
  static std::vector<int64_t> Range(int64_t begin, int64_t end) {
    std::vector<int64_t> offsets;
    for (int64_t i = begin; i < end; ++i) offsets.push_back(i);
    return offsets;
  }

  FaultyFileSystem files_;
};

TEST_F(CursorTest, ReturnsEveryRecordOverBatchesAndSegments) {
  AppendMany(30);
  AppendBatch(7);
  AppendMany(30);
  ASSERT_GT(Orders().segment_count(), 5);
  for (const int64_t max_bytes : {0, 300, 1 << 20}) {
    Cursor cursor(Orders(), 0, {.read = {.max_bytes = max_bytes}});
    for (int64_t i = 0; i < 67; ++i) {
      const RecordView* record = cursor.Next();
      ASSERT_NE(record, nullptr) << cursor.status();
      EXPECT_EQ(record->offset(), i);
      EXPECT_EQ(record->value(),
                i >= 30 && i < 37 ? "v" : absl::StrCat("value-", 100 + i));
      EXPECT_EQ(cursor.position(), i + 1);
    }
    EXPECT_EQ(cursor.Next(), nullptr);
    EXPECT_THAT(cursor.status(), IsOk());
    EXPECT_EQ(cursor.position(), 67);
  }
}

TEST_F(CursorTest, BeginsAmidABatch) {
  AppendBatch(5);
  Cursor cursor(Orders(), 2);
  EXPECT_EQ(cursor.position(), 2);
  EXPECT_THAT(Rest(cursor), ElementsAre(2, 3, 4));
}

TEST_F(CursorTest, NamesItsPartition) {
  const Cursor cursor(Orders(), 0);
  EXPECT_EQ(cursor.topic(), "orders");
  EXPECT_EQ(cursor.index(), 0);
}

TEST_F(CursorTest, EndIsOkAndGoesOnWithWhatComes) {
  Cursor cursor(Orders(), 0);
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
  AppendMany(2);
  EXPECT_THAT(Rest(cursor), ElementsAre(0, 1));
  AppendMany(1);
  EXPECT_THAT(Rest(cursor), ElementsAre(2));
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST_F(CursorTest, DeadlineThatPassesIsTheEndForNow) {
  AppendMany(1);
  Cursor cursor(Orders(), 0);
  ASSERT_NE(cursor.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_EQ(cursor.Next(absl::Now() + absl::Milliseconds(5)), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
  EXPECT_EQ(cursor.position(), 1);
}

TEST_F(CursorTest, WaitReturnsWhatIsAppendedMeanwhile) {
  Cursor cursor(Orders(), 0);
  std::thread appender([&] { Append("late"); });
  const RecordView* record = cursor.Next(absl::InfiniteFuture());
  ASSERT_NE(record, nullptr) << cursor.status();
  EXPECT_EQ(record->value(), "late");
  appender.join();
}

TEST_F(CursorTest, DurableLevelReturnsNothingThatIsOnlyVisible) {
  AppendMany(2);
  Cursor cursor(Orders(), 0, {.read = {.level = ReadLevel::kDurable}});
  EXPECT_THAT(Rest(cursor), IsEmpty());
  EXPECT_THAT(cursor.status(), IsOk());
  ASSERT_THAT(Orders().Sync(), IsOk());
  EXPECT_THAT(Rest(cursor), ElementsAre(0, 1));
}

TEST_F(CursorTest, DeletedRecordIsOutOfRangeUntilItIsSoughtPast) {
  AppendMany(10);
  Cursor cursor(Orders(), 0, {.read = kBatchwise});
  ASSERT_NE(cursor.Next(), nullptr);
  ASSERT_THAT(Orders().TrimBefore(5), IsOk());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(cursor.Next(absl::InfiniteFuture()), nullptr);
    EXPECT_THAT(cursor.status(), StatusIs(Code::kOutOfRange));
    EXPECT_EQ(cursor.position(), 1);
    EXPECT_EQ(cursor.next_readable(), std::nullopt);
  }
  EXPECT_EQ(cursor.resets(), 0);
  cursor.Seek(Orders().log_start());
  EXPECT_THAT(cursor.status(), IsOk());
  EXPECT_THAT(Rest(cursor), ElementsAre(5, 6, 7, 8, 9));
}

TEST_F(CursorTest, ResetToEarliestContinuesAtTheLogStartAndCountsIt) {
  AppendMany(10);
  Cursor cursor(Orders(), 0,
                {.reset = OffsetReset::kEarliest, .read = kBatchwise});
  ASSERT_NE(cursor.Next(), nullptr);
  ASSERT_THAT(Orders().TrimBefore(5), IsOk());
  EXPECT_THAT(Rest(cursor), ElementsAre(5, 6, 7, 8, 9));
  EXPECT_EQ(cursor.resets(), 1);
  EXPECT_EQ(cursor.last_reset().from, 1);
  EXPECT_EQ(cursor.last_reset().to, 5);
  AppendMany(1);
  EXPECT_THAT(Rest(cursor), ElementsAre(10));
  EXPECT_EQ(cursor.resets(), 1);
}

TEST_F(CursorTest, ResetToLatestContinuesWithWhatComesAndCountsIt) {
  AppendMany(10);
  ASSERT_THAT(Orders().TrimBefore(5), IsOk());
  Cursor cursor(Orders(), 0, {.reset = OffsetReset::kLatest});
  EXPECT_THAT(Rest(cursor), IsEmpty());
  EXPECT_THAT(cursor.status(), IsOk());
  EXPECT_EQ(cursor.position(), 10);
  EXPECT_EQ(cursor.resets(), 1);
  EXPECT_EQ(cursor.last_reset().from, 0);
  EXPECT_EQ(cursor.last_reset().to, 10);
  AppendMany(1);
  EXPECT_THAT(Rest(cursor), ElementsAre(10));
}

TEST_F(CursorTest, OffsetPastTheEndIsOutOfRangeOrReset) {
  AppendMany(3);
  Cursor none(Orders(), 100);
  EXPECT_EQ(none.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(none.status(), StatusIs(Code::kOutOfRange));
  Cursor earliest(Orders(), 100, {.reset = OffsetReset::kEarliest});
  EXPECT_THAT(Rest(earliest), ElementsAre(0, 1, 2));
  EXPECT_EQ(earliest.last_reset().from, 100);
  EXPECT_EQ(earliest.last_reset().to, 0);
  Cursor latest(Orders(), 100, {.reset = OffsetReset::kLatest});
  EXPECT_THAT(Rest(latest), IsEmpty());
  EXPECT_EQ(latest.last_reset().to, 3);
}

TEST_F(CursorTest, CompressedBatchIsUnimplementedUntilItIsSoughtPast) {
  AppendMany(2);
  RecordBatchBuilder builder;
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(builder.Append({.value = "squeezed"}, absl::Now()), IsOk());
  }
  auto compressed = builder.FinishCompressed(Compression::kLz4, "bytes");
  ASSERT_THAT(compressed, IsOk());
  ASSERT_THAT(Orders().Append(*compressed, Durability::kMemory), IsOk());
  AppendMany(1);
  Cursor cursor(Orders(), 0);
  EXPECT_THAT(Rest(cursor), ElementsAre(0, 1));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(cursor.status(), StatusIs(Code::kUnimplemented));
    EXPECT_EQ(cursor.position(), 2);
    EXPECT_THAT(cursor.next_readable(), Optional(5));
    EXPECT_EQ(cursor.Next(), nullptr);
  }
  cursor.Seek(*cursor.next_readable());
  EXPECT_THAT(Rest(cursor), ElementsAre(5));
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST_F(CursorTest, MalformedRecordsAreDataLossUntilTheyAreSoughtPast) {
  AppendMany(1);
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "v"}, absl::Now()), IsOk());
  const std::string malformed =
      WithRecords(builder.Finish().batch(), "\x7f\x7f", 1);
  ASSERT_THAT(Orders().Append(EncodedBatch::Unchecked(RecordBatch(malformed)),
                              Durability::kMemory),
              IsOk());
  AppendMany(1);
  Cursor cursor(Orders(), 0);
  EXPECT_THAT(Rest(cursor), ElementsAre(0));
  EXPECT_THAT(cursor.status(), StatusIs(Code::kDataLoss));
  EXPECT_EQ(cursor.position(), 1);
  ASSERT_THAT(cursor.next_readable(), Optional(2));
  cursor.Seek(*cursor.next_readable());
  EXPECT_THAT(Rest(cursor), ElementsAre(2));
}

TEST_F(CursorTest, ClosedStoreAndDeletedTopicAreToldApart) {
  ASSERT_THAT(store_->CreateTopic("deleted"), IsOk());
  Cursor deleted(*store_->partition("deleted", 0), 0);
  ASSERT_THAT(store_->DeleteTopic("deleted"), IsOk());
  EXPECT_EQ(deleted.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(deleted.status(), StatusIs(Code::kNotFound));
  Cursor closed(Orders(), 0);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_EQ(closed.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(closed.status(), StatusIs(Code::kFailedPrecondition));
}

TEST_F(CursorTest, CloseEndsAWait) {
  Cursor cursor(Orders(), 0);
  std::thread closer([&] { EXPECT_THAT(store_->Close(), IsOk()); });
  EXPECT_EQ(cursor.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(cursor.status(), StatusIs(Code::kFailedPrecondition));
  closer.join();
}

TEST_F(CursorTest, FailedSyncEndsAWaitAndNotAReadBeforeTheEnd) {
  AppendMany(2);
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(Orders().Sync(), StatusIs(Code::kUnknown));
  Cursor cursor(Orders(), 0);
  EXPECT_THAT(Rest(cursor), ElementsAre(0, 1));
  EXPECT_THAT(cursor.status(), IsOk());
  EXPECT_EQ(cursor.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(cursor.status(), StatusIs(Code::kUnknown));
}

TEST_F(CursorTest, BatchesAreWholeAndGoOnFromTheRecordBefore) {
  AppendBatch(3);
  AppendBatch(3);
  Cursor cursor(Orders(), 0, {.read = kBatchwise});
  ASSERT_NE(cursor.Next(), nullptr);
  const RecordBatches* batches = cursor.NextBatches();
  ASSERT_NE(batches, nullptr);
  EXPECT_EQ((*batches->begin()).base_offset(), 0);
  RecordBatches::Records records = batches->records();
  EXPECT_EQ(records.Next()->offset(), 1);
  EXPECT_EQ(cursor.position(), 3);
  EXPECT_EQ(cursor.Next()->offset(), 3);
  ASSERT_NE(cursor.NextBatches(), nullptr);
  EXPECT_EQ(cursor.position(), 6);
  EXPECT_EQ(cursor.NextBatches(), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST_F(CursorTest, CopyOfItsBatchesKeepsARecord) {
  Append("kept");
  Append("next");
  Cursor cursor(Orders(), 0, {.read = kBatchwise});
  const RecordView* record = cursor.Next();
  ASSERT_NE(record, nullptr);
  const std::string_view value = *record->value();
  const RecordBatches batches = cursor.batches();
  EXPECT_EQ(cursor.Next()->value(), "next");
  cursor = Cursor();
  store_ = nullptr;
  EXPECT_EQ(value, "kept");
}

TEST_F(CursorTest, CopyAndMovedCursorGoOnWhereItWas) {
  AppendBatch(4);
  Cursor cursor(Orders(), 0);
  ASSERT_NE(cursor.Next(), nullptr);
  Cursor copy = cursor;
  EXPECT_THAT(Rest(copy), ElementsAre(1, 2, 3));
  Cursor moved;
  moved = std::move(cursor);
  EXPECT_THAT(Rest(moved), ElementsAre(1, 2, 3));
}

TEST_F(CursorTest, OfNoPartitionIsAFailedPrecondition) {
  Cursor cursor;
  EXPECT_EQ(cursor.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(cursor.status(), StatusIs(Code::kFailedPrecondition));
  AppendMany(1);
  cursor = Cursor(Orders(), 0);
  EXPECT_THAT(Rest(cursor), ElementsAre(0));
}

TEST_F(CursorTest, SeekGoesBackAndForth) {
  AppendMany(6);
  Cursor cursor(Orders(), 0);
  EXPECT_THAT(Rest(cursor), Range(0, 6));
  cursor.Seek(4);
  EXPECT_THAT(Rest(cursor), ElementsAre(4, 5));
  cursor.Seek(1);
  ASSERT_NE(cursor.Next(), nullptr);
  cursor.Seek(5);
  EXPECT_THAT(Rest(cursor), ElementsAre(5));
}

}  // namespace
}  // namespace varve
