// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_cursor.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/random_records.h"
#include "tests/log/batch/record_cursor_fixture.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using testing::AllOf;
using testing::HasSubstr;

TEST(RecordCursorTest, RecordsComeInOrderWithOffsetAndTime) {
  std::string bytes = Numbers(3, 3);
  StoreBig64(bytes.data(), 500);
  RecordCursor cursor{RecordBatch(bytes)};
  for (int i = 0; i < 3; ++i) {
    const RecordView* record = cursor.Next();
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->offset(), 500 + i);
    EXPECT_EQ(record->timestamp_ms(), 1000 + i);
    EXPECT_EQ(record->timestamp(), absl::FromUnixMillis(1000 + i));
    EXPECT_EQ(record->key(), std::nullopt);
    EXPECT_EQ(record->value(), std::to_string(i));
    EXPECT_EQ(record->header_count(), 0);
    EXPECT_EQ(record->size_bytes(), 8);
  }
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST(RecordCursorTest, HeadersCanBeIteratedTwiceAndHeldApart) {
  const std::vector<Header> headers = {
      {"a", "1"}, {"a", std::nullopt}, {"", ""}, {"b", std::string_view()}};
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.headers = headers}, 1), IsOk());
  RecordCursor cursor(builder.Finish().batch());
  const RecordView* record = cursor.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->header_count(), 4);
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_THAT(record->headers(), testing::ElementsAreArray(headers));
  }
  auto first = record->headers().begin();
  const auto second = ++record->headers().begin();
  EXPECT_EQ(first++->value, "1");
  EXPECT_TRUE(first == second);
  EXPECT_EQ(second->value, std::nullopt);
}

TEST(RecordCursorTest, LogAppendTimeIsTheTimeOfEveryRecord) {
  std::string bytes = Numbers(2, 2);
  StoreBig16(bytes.data() + 21, batch_attributes::kLogAppendTime);
  StoreBig64(bytes.data() + 35, 7777);
  const Outcome outcome = ReadAll(bytes);
  ASSERT_EQ(outcome.records.size(), 2u);
  EXPECT_EQ(outcome.records[0].timestamp_ms, 7777);
  EXPECT_EQ(outcome.records[1].timestamp_ms, 7777);
}

TEST(RecordCursorTest, NoTimestampIsInfinitePast) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({}, kNoTimestamp), IsOk());
  RecordCursor cursor(builder.Finish().batch());
  const RecordView* record = cursor.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->timestamp_ms(), kNoTimestamp);
  EXPECT_EQ(record->timestamp(), absl::InfinitePast());
}

TEST(RecordCursorTest, EmptiedBatchHasNoRecordsAndNoError) {
  const Outcome outcome = ReadAll(Numbers(0, 5));
  EXPECT_TRUE(outcome.records.empty());
  EXPECT_THAT(outcome.status, IsOk());
}

TEST(RecordCursorTest, GapsInOffsetsAreKept) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.AppendAt(2, {.value = "c"}, 1), IsOk());
  ASSERT_THAT(builder.AppendAt(5, {.value = "f"}, 1), IsOk());
  RecordCursor cursor(builder.FinishAs({.last_offset_delta = 9})->batch());
  EXPECT_EQ(cursor.Next()->offset(), 2);
  EXPECT_EQ(cursor.Next()->offset(), 5);
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST(RecordCursorTest, CompressedBatchIsUnimplementedWithCodecAndOffset) {
  std::string bytes = Numbers(1, 1);
  StoreBig64(bytes.data(), 42);
  for (int16_t codec = 1; codec <= 4; ++codec) {
    StoreBig16(bytes.data() + 21, codec);
    const std::string name(CompressionName(static_cast<Compression>(codec)));
    EXPECT_THAT(ReadAll(bytes).status,
                StatusIs(absl::StatusCode::kUnimplemented,
                         AllOf(HasSubstr(name), HasSubstr("offset 42"))));
  }
}

TEST(RecordCursorTest, RecordsElsewhereAreThoseOfTheBatch) {
  RecordBatchBuilder builder;
  for (const char* value : {"a", "b"}) {
    ASSERT_THAT(builder.Append({.value = value}, 7), IsOk());
  }
  const std::string records(builder.records());
  const auto batch = builder.FinishCompressed(Compression::kLz4, "a stream");
  ASSERT_THAT(batch, IsOk());
  RecordCursor cursor(batch->batch(), records);
  for (const char* value : {"a", "b"}) {
    const RecordView* const record = cursor.Next();
    ASSERT_NE(record, nullptr) << cursor.status();
    EXPECT_EQ(record->value(), value);
    EXPECT_GE(record->value()->data(), records.data());
    EXPECT_LT(record->value()->data(), records.data() + records.size());
    EXPECT_EQ(record->timestamp_ms(), 7);
  }
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
}

TEST(RecordCursorTest, RecordsElsewhereAreCheckedAsAnyOthers) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "a"}, 7), IsOk());
  const std::string records = std::string(builder.records()) + "x";
  const auto batch = builder.FinishCompressed(Compression::kLz4, "a stream");
  RecordCursor cursor(batch->batch(), records);
  EXPECT_NE(cursor.Next(), nullptr);
  EXPECT_EQ(cursor.Next(), nullptr);
  EXPECT_THAT(cursor.status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("bytes follow")));
}

TEST(RecordCursorTest, CompressedBatchWithoutRecordsEnds) {
  std::string bytes = Numbers(0, 1);
  StoreBig16(bytes.data() + 21, 4);
  EXPECT_THAT(ReadAll(bytes).status, IsOk());
}

TEST(RecordCursorTest, ControlRecordsComeAsAnyOthers) {
  RecordBatchBuilder builder(
      {.producer_id = 1, .producer_epoch = 0, .kind = BatchKind::kControl});
  const ControlRecordKey key(ControlRecordType::kAbort);
  const EndTransactionValue value(-9);
  ASSERT_THAT(builder.Append({.key = key.bytes(), .value = value.bytes()}, 1),
              IsOk());
  const Outcome outcome = ReadAll(builder.Finish().bytes());
  ASSERT_EQ(outcome.records.size(), 1u);
  const OwnedRecord& record = outcome.records[0];
  EXPECT_THAT(ParseControlRecordType(record.key),
              absl_testing::IsOkAndHolds(ControlRecordType::kAbort));
  EXPECT_THAT(ParseCoordinatorEpoch(record.value),
              absl_testing::IsOkAndHolds(-9));
}

TEST(RecordCursorTest, RandomRecordsReturn) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomRecords random(seed);
  RecordBatchBuilder builder;
  std::vector<Header> headers;
  for (int round = 0; round < 200; ++round) {
    builder.Clear();
    std::vector<OwnedRecord> written;
    for (uint64_t left = 1 + random.Below(50); left > 0; --left) {
      written.push_back(random.Next());
      const OwnedRecord& record = written.back();
      ASSERT_THAT(builder.Append(record.View(&headers), record.timestamp_ms),
                  IsOk());
    }
    const Outcome outcome = ReadAll(builder.Finish().bytes());
    ASSERT_THAT(outcome.status, IsOk());
    ASSERT_TRUE(outcome.records == written);
  }
}

}  // namespace
}  // namespace varve
