// SPDX-License-Identifier: Apache-2.0

// A program that hands codecs to what it opens: reads, cursors, followers,
// times, verification and backups of a store with compressed batches.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/cursor.h"
#include "varve/api/cursor_set.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/api/store_backup.h"
#include "varve/api/store_verifier.h"
#include "varve/log/batch/codecs.h"
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
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;

using Code = absl::StatusCode;

constexpr int kBatchRecords = 5;
constexpr int64_t kLimit = 10'000;

// "orders" has batches of five records; that at offset N is of the time
// 1000 + N, and its value says N.
class CompressedReadsTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    TopicConfig config;
    config.log.segment_bytes = 2000;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  }
  StoreOptions Options() override {
    return {.background = Background::kNone, .codecs = codecs_};
  }

  static std::string ValueOf(int64_t offset) {
    return std::to_string(offset) + std::string(100, '.');
  }
  void Fill(RecordBatchBuilder& builder) {
    for (int i = 0; i < kBatchRecords; ++i) {
      const int64_t offset = Orders().visible_end() + i;
      ASSERT_THAT(builder.Append({.value = ValueOf(offset)}, 1000 + offset),
                  IsOk());
    }
  }
  void Append(const EncodedBatch& batch) {
    ASSERT_THAT(Orders().Append(batch, Durability::kMemory), IsOk());
  }
  // Plain ones and of all codecs, in turns.
  void AppendMixed(int batches) {
    for (int i = 0; i < batches; ++i) {
      RecordBatchBuilder builder;
      Fill(builder);
      switch (i % 5) {
        case 0:
          Append(*builder.FinishCompressed(fakes_.gzip));
          break;
        case 1:
          Append(builder.Finish());
          break;
        case 2:
          Append(*builder.FinishCompressed(fakes_.snappy));
          break;
        case 3:
          Append(*builder.FinishCompressed(fakes_.lz4));
          break;
        default:
          Append(*builder.FinishCompressed(fakes_.zstd));
      }
    }
  }
  // One whose checksum is right, and whose stream is this.
  void AppendStream(std::string_view stream) {
    RecordBatchBuilder builder;
    Fill(builder);
    Append(*builder.FinishCompressed(Compression::kZstd, stream));
  }
  void AppendBomb() {
    AppendStream(
        FakeCompressed(std::string(kLimit + 1, '\0'), Compression::kZstd));
  }

  // Expects the cursor to return every record up to before `end`.
  static void ExpectTo(int64_t end, Cursor& cursor) {
    while (cursor.position() < end) {
      const int64_t offset = cursor.position();
      const RecordView* const record = cursor.Next();
      ASSERT_NE(record, nullptr) << cursor.status();
      ASSERT_EQ(record->offset(), offset);
      ASSERT_EQ(record->value(), ValueOf(offset));
    }
  }

  FakeCodecs fakes_;
  const Codecs limited_{
      {&fakes_.gzip, &fakes_.snappy, &fakes_.lz4, &fakes_.zstd}, kLimit};
  const Codecs* codecs_ = &limited_;  // of the next open
};

TEST_F(CompressedReadsTest, EveryRecordIsReadFromWhereverTheCursorBegins) {
  AppendMixed(30);
  ASSERT_GT(Orders().segment_count(), 3);
  Reopen();
  for (const int64_t max_bytes : {0, 1000, 1 << 20}) {
    for (const int64_t begin : {0, 1, 4, 5, 13, 149}) {
      Cursor cursor(Orders(), begin, {.read = {.max_bytes = max_bytes}});
      ExpectTo(150, cursor);
      EXPECT_EQ(cursor.Next(), nullptr);
      EXPECT_THAT(cursor.status(), IsOk());
    }
  }
}

TEST_F(CompressedReadsTest, ViewsOutliveTheStore) {
  AppendMixed(5);
  std::vector<RecordBatches> views;
  for (int64_t at = 0; at < 25; at = views.back().next_offset())
    views.push_back(*Orders().Read(at, {.max_bytes = 0}));
  store_ = nullptr;
  int64_t offset = 0;
  for (const RecordBatches& view : views) {
    RecordBatches::Records records = view.records();
    while (const RecordView* record = records.Next())
      EXPECT_EQ(record->value(), ValueOf(offset++));
  }
  EXPECT_EQ(offset, 25);
}

TEST_F(CompressedReadsTest, BombIsResourceExhaustedUntilItIsSoughtPast) {
  AppendMixed(3);
  AppendBomb();
  AppendMixed(2);
  // It is found in a view with what is before it, or alone.
  for (const int64_t max_bytes : {int64_t{1} << 20, kLimit - 1}) {
    Cursor cursor(Orders(), 3, {.read = {.max_bytes = max_bytes}});
    ExpectTo(15, cursor);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(cursor.Next(), nullptr);
      EXPECT_THAT(cursor.status(),
                  StatusIs(Code::kResourceExhausted,
                           AllOf(HasSubstr("offset 15"), HasSubstr("10000"))));
      EXPECT_EQ(cursor.position(), 15);
      ASSERT_THAT(cursor.next_readable(), Optional(20));
    }
    cursor.Seek(*cursor.next_readable());
    ExpectTo(30, cursor);
  }
}

TEST_F(CompressedReadsTest, DamagedStreamIsDataLossUntilItIsSoughtPast) {
  AppendMixed(1);
  AppendStream("no stream");
  AppendMixed(1);
  Cursor cursor(Orders(), 0);
  ExpectTo(5, cursor);
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(),
              StatusIs(Code::kDataLoss, HasSubstr("offset 5, zstd")));
  ASSERT_THAT(cursor.next_readable(), Optional(10));
  // In the middle of it, too.
  cursor.Seek(7);
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_EQ(cursor.position(), 7);
  ASSERT_THAT(cursor.next_readable(), Optional(10));
  cursor.Seek(*cursor.next_readable());
  ExpectTo(15, cursor);
}

TEST_F(CompressedReadsTest, WithoutTheCodecTheRestIsRead) {
  AppendMixed(3);
  ASSERT_THAT(store_->Close(), IsOk());
  const Codecs gzip({&fakes_.gzip});
  codecs_ = &gzip;
  Open();
  Cursor cursor(Orders(), 0);
  ExpectTo(10, cursor);
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(),
              StatusIs(Code::kUnimplemented,
                       AllOf(HasSubstr("snappy"), HasSubstr("`codecs`"))));
  EXPECT_THAT(cursor.next_readable(), Optional(15));
  store_ = nullptr;
}

TEST_F(CompressedReadsTest, BatchesThatAreLeftAsTheyAreCanBeCopiedOn) {
  AppendMixed(10);
  ASSERT_THAT(store_->CreateTopic("copy"), IsOk());
  Partition copy = *store_->partition("copy", 0);
  Cursor batches(Orders(), 0,
                 {.read = {.decompression = Decompression::kLeave}});
  while (const RecordBatches* view = batches.NextBatches()) {
    for (const RecordBatch& batch : *view) {
      ASSERT_THAT(
          copy.Append(EncodedBatch::Unchecked(batch), Durability::kMemory),
          IsOk());
    }
  }
  EXPECT_EQ(fakes_.zstd.decompressed_count(), 0);
  EXPECT_EQ(copy.visible_end(), 50);
  Cursor cursor(copy, 0);
  ExpectTo(50, cursor);
  EXPECT_EQ(copy.Read(0)->bytes().substr(8, 4),
            Orders().Read(0)->bytes().substr(8, 4));
}

TEST_F(CompressedReadsTest, BatchesInAViewAreAsTheyAreInTheLog) {
  AppendMixed(5);
  Cursor cursor(Orders(), 0);
  const RecordBatches* const view = cursor.NextBatches();
  ASSERT_NE(view, nullptr);
  EXPECT_EQ((*view->begin()).compression(), Compression::kGzip);
  // A copy has the records.
  std::thread other([copy = *view] {
    RecordBatches::Records records = copy.records();
    for (int64_t offset = 0; offset < copy.next_offset(); ++offset)
      EXPECT_EQ(records.Next()->value(), ValueOf(offset));
  });
  other.join();
}

TEST_F(CompressedReadsTest, FollowersOfAnotherStoreReadThem) {
  auto store = LogStore::OpenReadOnly(path_, {.codecs = codecs_});
  ASSERT_THAT(store, IsOk());
  auto orders = (*store)->partition("orders", 0);
  ASSERT_THAT(orders, IsOk());
  Cursor cursor(*orders, 0);
  for (int64_t end = 25; end <= 100; end += 25) {
    AppendMixed(5);
    ExpectTo(end, cursor);
    EXPECT_EQ(cursor.Next(), nullptr);
    EXPECT_THAT(cursor.status(), IsOk());
  }
  AppendBomb();
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(cursor.next_readable(), Optional(105));
  EXPECT_THAT(orders->OffsetForTime(absl::FromUnixMillis(1003)),
              IsOkAndHolds(3));
  const RecordBatches view = *orders->Read(0);
  *orders = ReadOnlyPartition();
  store->reset();
  EXPECT_EQ(view.records().Next()->value(), ValueOf(0));
}

TEST_F(CompressedReadsTest, FollowerWithoutCodecsIsUnimplemented) {
  AppendMixed(1);
  auto store = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(store, IsOk());
  Cursor cursor(*(*store)->partition("orders", 0), 0);
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(),
              StatusIs(Code::kUnimplemented, HasSubstr("`codecs`")));
}

TEST_F(CompressedReadsTest, SetOfCursorsWaitsForThem) {
  auto other = LogStore::OpenReadOnly(path_, {.codecs = codecs_});
  ASSERT_THAT(other, IsOk());
  CursorSet set;
  set.Add(Cursor(Orders(), 0));
  set.Add(Cursor(*(*other)->partition("orders", 0), 0));
  EXPECT_EQ(set.Wait(), nullptr);
  std::thread writer([this] { AppendMixed(5); });
  for (int64_t left = 2; left > 0;) {
    Cursor* const cursor = set.Wait(absl::InfiniteFuture());
    ASSERT_NE(cursor, nullptr);
    while (cursor->Next() != nullptr) {
    }
    ASSERT_THAT(cursor->status(), IsOk());
    if (cursor->position() == 25) {
      set.Remove(cursor);
      --left;
    }
  }
  writer.join();
}

TEST_F(CompressedReadsTest, TimesInsideABatchAreFoundExactly) {
  AppendMixed(10);
  for (int64_t offset = 0; offset < 50; ++offset) {
    EXPECT_THAT(Orders().OffsetForTime(absl::FromUnixMillis(1000 + offset)),
                IsOkAndHolds(offset));
  }
}

TEST_F(CompressedReadsTest, VerificationLooksInsideWithTheCodecs) {
  AppendMixed(2);
  AppendStream("no stream");
  ASSERT_THAT(store_->Close(), IsOk());
  const auto blind = VerifyStore(path_, {}, {});
  ASSERT_THAT(blind, IsOk());
  EXPECT_EQ(blind->damage_count(), 0u);
  const auto seeing = VerifyStore(path_, {}, {.codecs = codecs_});
  ASSERT_THAT(seeing, IsOk());
  EXPECT_EQ(seeing->damage_count(), 1u);
}

TEST_F(CompressedReadsTest, BackupLooksInsideWithTheCodecs) {
  AppendMixed(2);
  AppendStream("no stream");
  ASSERT_THAT(store_->Close(), IsOk());
  const BackupPaths blind = {.store = path_, .backup = scratch_ / "blind"};
  EXPECT_THAT(BackUpStore(blind), IsOk());
  const BackupPaths seeing = {.store = path_, .backup = scratch_ / "seeing"};
  const absl::Status refused =
      BackUpStore(seeing, {.codecs = codecs_}).status();
  EXPECT_THAT(refused, StatusIs(Code::kDataLoss, HasSubstr("no stream")));
  EXPECT_TRUE(IsRefusedForDamage(refused));
}

}  // namespace
}  // namespace varve
