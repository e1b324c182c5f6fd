// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_cursor.h"

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/random_records.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/varint.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using std::string_literals::operator""s;
using testing::AllOf;
using testing::HasSubstr;

// A batch of `count` records "0", "1", ... a millisecond apart, with room for
// `offsets` offsets.
std::string Numbers(int count, int32_t offsets) {
  RecordBatchBuilder builder;
  for (int i = 0; i < count; ++i) {
    const std::string value = std::to_string(i);
    EXPECT_THAT(builder.Append({.value = value}, 1000 + i), IsOk());
  }
  return std::string(
      builder.FinishAs({.last_offset_delta = offsets - 1})->bytes());
}

std::string Varint(int64_t value) {
  char bytes[kVarlongSizeMax];
  return std::string(bytes, EncodeVarlong(value, bytes));
}

std::string Sized(std::string_view bytes) {
  return Varint(static_cast<int64_t>(bytes.size())) + std::string(bytes);
}

// A record's body with a null key and the parts that a test changes.
struct Body {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  std::string key = Varint(-1);
  std::string value = Sized("v");
  std::string headers = Varint(0);

  std::string Bytes() const {
    return "\0"s + Varint(timestamp_delta) + Varint(offset_delta) + key +
           value + headers;
  }
  std::string Record() const { return Sized(Bytes()); }
};

// The records and the error of a batch that holds these record bytes. The
// bytes get an allocation of their own, so that the address sanitizer sees a
// read beyond them.
struct Outcome {
  std::vector<OwnedRecord> records;
  absl::Status status;
};

Outcome ReadAll(std::string_view batch_bytes) {
  const std::vector<char> exact(batch_bytes.begin(), batch_bytes.end());
  const RecordBatch batch(std::string_view(exact.data(), exact.size()));
  Outcome outcome;
  RecordCursor cursor(batch);
  while (const RecordView* record = cursor.Next()) {
    outcome.records.push_back(Owned(*record));
  }
  EXPECT_EQ(cursor.Next(), nullptr) << "the end stays the end";
  outcome.status = cursor.status();
  return outcome;
}

Outcome ReadRecords(std::string_view records, int32_t count) {
  const std::string header = Numbers(0, 10);
  return ReadAll(WithRecords(RecordBatch(header), records, count));
}

auto IsDataLoss(std::string_view what) {
  return StatusIs(absl::StatusCode::kDataLoss, HasSubstr(what));
}

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

TEST(RecordCursorTest, WellFormedHandmadeRecordIsRead) {
  const Outcome outcome = ReadRecords(Body{}.Record(), 1);
  EXPECT_THAT(outcome.status, IsOk());
  ASSERT_EQ(outcome.records.size(), 1u);
  EXPECT_EQ(outcome.records[0].value, "v");
}

TEST(RecordCursorTest, AnyNegativeSizeIsNull) {
  const Body body{.key = Varint(-77), .value = Varint(-2)};
  const Outcome outcome = ReadRecords(body.Record(), 1);
  EXPECT_THAT(outcome.status, IsOk());
  ASSERT_EQ(outcome.records.size(), 1u);
  EXPECT_EQ(outcome.records[0].key, std::nullopt);
  EXPECT_EQ(outcome.records[0].value, std::nullopt);
}

TEST(RecordCursorTest, MissingRecordFails) {
  EXPECT_THAT(ReadRecords("", 1).status, IsDataLoss("record 0 of 1"));
  const Outcome outcome = ReadRecords(Body{}.Record(), 2);
  EXPECT_EQ(outcome.records.size(), 1u);
  EXPECT_THAT(outcome.status, IsDataLoss("record 1 of 2: its length"));
}

TEST(RecordCursorTest, BytesBehindTheLastRecordFail) {
  const Outcome outcome = ReadRecords(Body{}.Record() + "\0"s, 1);
  EXPECT_EQ(outcome.records.size(), 1u);
  EXPECT_THAT(outcome.status, IsDataLoss("bytes follow"));
  EXPECT_THAT(ReadRecords("x", 0).status, IsDataLoss("bytes follow"));
}

TEST(RecordCursorTest, LengthOutOfBoundsFails) {
  const std::string body = Body{}.Bytes();
  const auto size = static_cast<int64_t>(body.size());
  for (const int64_t length : {int64_t{-1}, int64_t{0}, size + 1,
                               int64_t{std::numeric_limits<int32_t>::max()},
                               int64_t{std::numeric_limits<int32_t>::min()}}) {
    EXPECT_THAT(ReadRecords(Varint(length) + body, 1).status,
                IsDataLoss("its length is out of bounds"))
        << length;
  }
}

TEST(RecordCursorTest, UnterminatedLengthFails) {
  EXPECT_THAT(ReadRecords("\x80\x80\x80\x80\x80\x01"s, 1).status,
              IsDataLoss("its length does not fit"));
}

TEST(RecordCursorTest, LengthLongerThanItsPartsFails) {
  EXPECT_THAT(ReadRecords(Sized(Body{}.Bytes() + "x"), 1).status,
              IsDataLoss("its length is not that of its parts"));
  const Body with_header{.headers = Varint(1) + Sized("h") + Sized("x") + "x"};
  EXPECT_THAT(ReadRecords(with_header.Record(), 1).status,
              IsDataLoss("its length is not that of its parts"));
}

TEST(RecordCursorTest, EveryLengthShorterThanItsPartsFails) {
  const Body body{.timestamp_delta = int64_t{1} << 50,
                  .key = Sized("key"),
                  .headers = Varint(1) + Sized("h") + Sized("x")};
  const std::string whole = body.Bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    // The cut part is still there, after the record: it must not be read.
    EXPECT_THAT(
        ReadRecords(Sized(whole.substr(0, size)) + whole.substr(size), 1)
            .status,
        IsDataLoss("record 0 of 1"))
        << size;
  }
}

TEST(RecordCursorTest, SizeThatLeavesTheRecordFails) {
  const Body key{.key = Varint(100)};
  EXPECT_THAT(ReadRecords(key.Record(), 1).status, IsDataLoss("its key"));
  const Body value{.value = Varint(std::numeric_limits<int32_t>::max())};
  EXPECT_THAT(ReadRecords(value.Record(), 1).status, IsDataLoss("its value"));
}

TEST(RecordCursorTest, UnterminatedTimestampFails) {
  const std::string body = "\0"s + std::string(11, '\x80') + "\0\0\1\1\0"s;
  EXPECT_THAT(ReadRecords(Sized(body), 1).status, IsDataLoss("its timestamp"));
}

TEST(RecordCursorTest, TimestampThatOverflowsWraps) {
  const Body body{.timestamp_delta = std::numeric_limits<int64_t>::min()};
  const Outcome outcome = ReadRecords(body.Record(), 1);
  ASSERT_EQ(outcome.records.size(), 1u);
  EXPECT_EQ(outcome.records[0].timestamp_ms,
            std::numeric_limits<int64_t>::max());
}

TEST(RecordCursorTest, OffsetThatDoesNotIncreaseFails) {
  const std::string twice = Body{}.Record() + Body{}.Record();
  EXPECT_THAT(ReadRecords(twice, 2).status,
              IsDataLoss("record 1 of 2: its offset does not increase"));
  EXPECT_THAT(ReadRecords(Body{.offset_delta = -1}.Record(), 1).status,
              IsDataLoss("its offset does not increase"));
}

TEST(RecordCursorTest, OffsetBehindTheLastFails) {
  EXPECT_THAT(ReadRecords(Body{.offset_delta = 9}.Record(), 1).status, IsOk());
  EXPECT_THAT(ReadRecords(Body{.offset_delta = 10}.Record(), 1).status,
              IsDataLoss("its offset is behind the batch's last"));
}

TEST(RecordCursorTest, HeaderCountOutOfBoundsFails) {
  for (const int32_t count : {-1, 2, std::numeric_limits<int32_t>::max()}) {
    const Body body{.headers = Varint(count) + Sized("") + Sized("")};
    EXPECT_THAT(ReadRecords(body.Record(), 1).status,
                IsDataLoss("its header count is out of bounds"))
        << count;
  }
}

TEST(RecordCursorTest, NullHeaderKeyFails) {
  const Body body{.headers = Varint(1) + Varint(-1) + Sized("x")};
  EXPECT_THAT(ReadRecords(body.Record(), 1).status, IsDataLoss("a header"));
}

TEST(RecordCursorTest, HeaderThatLeavesTheRecordFails) {
  const Body body{.headers = Varint(1) + Sized("h") + Varint(5) + "x"};
  EXPECT_THAT(ReadRecords(body.Record(), 1).status, IsDataLoss("a header"));
}

TEST(RecordCursorTest, ErrorNamesTheBatchsOffset) {
  std::string bytes = WithRecords(RecordBatch(Numbers(0, 10)), "", 1);
  StoreBig64(bytes.data(), 12345);
  EXPECT_THAT(ReadAll(bytes).status, IsDataLoss("offset 12345"));
}

TEST(RecordCursorTest, EveryTruncationOfTheRecordsFails) {
  const std::string bytes = Numbers(20, 20);
  const RecordBatch batch(bytes);
  for (size_t size = 0; size < batch.records().size(); ++size) {
    EXPECT_FALSE(
        ReadAll(WithRecords(batch, batch.records().substr(0, size), 20))
            .status.ok())
        << size;
  }
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

TEST(RecordCursorTest, RandomDamageBehindARightCrcNeverLeavesTheBatch) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomRecords random(seed);
  RecordBatchBuilder builder;
  std::vector<Header> headers;
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(builder.Append(random.Next().View(&headers), 5), IsOk());
  }
  const std::string good(builder.Finish().bytes());
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    for (uint64_t left = 1 + random.Below(4); left > 0; --left) {
      const uint64_t at =
          batch_layout::kLastOffsetDelta + random.Below(bad.size() - 23);
      bad[at] = static_cast<char>(random.Below(256));
    }
    bad = WithCrc(bad);
    int64_t size = 0;
    if (RecordBatch::Check(bad, CrcCheck::kVerify, kBatchSizeMax, &size) ==
        BatchDefect::kNone) {
      ReadAll(bad);  // Any result, without a read outside its bytes.
    }
  }
}

// The fields that a batch's CRC leaves out: base offset and leader epoch. The
// log checks those by rule, see log/FORMAT.md.
bool IsOutsideTheCrc(size_t at) {
  return at < batch_layout::kBatchLength ||
         (at >= batch_layout::kLeaderEpoch && at < batch_layout::kMagic);
}

TEST(RecordCursorTest, EveryBitFlipIsFoundOrInBaseOffsetOrLeaderEpoch) {
  const std::string batch = Numbers(3, 3);
  for (const std::string& behind :
       {std::string(), batch, std::string(500, 0)}) {
    const std::string bytes = batch + behind;
    for (size_t bit = 0; bit < batch.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      int64_t size = 0;
      const BatchDefect defect =
          RecordBatch::Check(flipped, CrcCheck::kVerify, kBatchSizeMax, &size);
      if (IsOutsideTheCrc(bit / 8)) {
        // A negative base offset is a defect that needs no neighbours.
        EXPECT_EQ(defect,
                  bit == 7 ? BatchDefect::kBadFields : BatchDefect::kNone)
            << "bit " << bit;
      } else {
        EXPECT_NE(defect, BatchDefect::kNone) << "bit " << bit;
      }
    }
  }
}

}  // namespace
}  // namespace varve
