// SPDX-License-Identifier: Apache-2.0

// Records that no writer makes: a cursor refuses them, or reads them as Kafka
// does, and never reads beyond their batch.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
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
#include "tests/log/batch/record_cursor_fixture.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/varint.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using std::string_literals::operator""s;
using testing::HasSubstr;

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

// Of a batch that holds these record bytes.
Outcome ReadRecords(std::string_view records, int32_t count) {
  const std::string header = Numbers(0, 10);
  return ReadAll(WithRecords(RecordBatch(header), records, count));
}

auto IsDataLoss(std::string_view what) {
  return StatusIs(absl::StatusCode::kDataLoss, HasSubstr(what));
}

TEST(RecordCursorDamageTest, WellFormedHandmadeRecordIsRead) {
  const Outcome outcome = ReadRecords(Body{}.Record(), 1);
  EXPECT_THAT(outcome.status, IsOk());
  ASSERT_EQ(outcome.records.size(), 1u);
  EXPECT_EQ(outcome.records[0].value, "v");
}

TEST(RecordCursorDamageTest, AnyNegativeSizeIsNull) {
  const Body body{.key = Varint(-77), .value = Varint(-2)};
  const Outcome outcome = ReadRecords(body.Record(), 1);
  EXPECT_THAT(outcome.status, IsOk());
  ASSERT_EQ(outcome.records.size(), 1u);
  EXPECT_EQ(outcome.records[0].key, std::nullopt);
  EXPECT_EQ(outcome.records[0].value, std::nullopt);
}

TEST(RecordCursorDamageTest, MissingRecordFails) {
  EXPECT_THAT(ReadRecords("", 1).status, IsDataLoss("record 0 of 1"));
  const Outcome outcome = ReadRecords(Body{}.Record(), 2);
  EXPECT_EQ(outcome.records.size(), 1u);
  EXPECT_THAT(outcome.status, IsDataLoss("record 1 of 2: its length"));
}

TEST(RecordCursorDamageTest, BytesBehindTheLastRecordFail) {
  const Outcome outcome = ReadRecords(Body{}.Record() + "\0"s, 1);
  EXPECT_EQ(outcome.records.size(), 1u);
  EXPECT_THAT(outcome.status, IsDataLoss("bytes follow"));
  EXPECT_THAT(ReadRecords("x", 0).status, IsDataLoss("bytes follow"));
}

TEST(RecordCursorDamageTest, LengthOutOfBoundsFails) {
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

TEST(RecordCursorDamageTest, UnterminatedLengthFails) {
  EXPECT_THAT(ReadRecords("\x80\x80\x80\x80\x80\x01"s, 1).status,
              IsDataLoss("its length does not fit"));
}

TEST(RecordCursorDamageTest, LengthLongerThanItsPartsFails) {
  EXPECT_THAT(ReadRecords(Sized(Body{}.Bytes() + "x"), 1).status,
              IsDataLoss("its length is not that of its parts"));
  const Body with_header{.headers = Varint(1) + Sized("h") + Sized("x") + "x"};
  EXPECT_THAT(ReadRecords(with_header.Record(), 1).status,
              IsDataLoss("its length is not that of its parts"));
}

TEST(RecordCursorDamageTest, EveryLengthShorterThanItsPartsFails) {
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

TEST(RecordCursorDamageTest, SizeThatLeavesTheRecordFails) {
  const Body key{.key = Varint(100)};
  EXPECT_THAT(ReadRecords(key.Record(), 1).status, IsDataLoss("its key"));
  const Body value{.value = Varint(std::numeric_limits<int32_t>::max())};
  EXPECT_THAT(ReadRecords(value.Record(), 1).status, IsDataLoss("its value"));
}

TEST(RecordCursorDamageTest, UnterminatedTimestampFails) {
  const std::string body = "\0"s + std::string(11, '\x80') + "\0\0\1\1\0"s;
  EXPECT_THAT(ReadRecords(Sized(body), 1).status, IsDataLoss("its timestamp"));
}

TEST(RecordCursorDamageTest, TimestampThatOverflowsWraps) {
  const Body body{.timestamp_delta = std::numeric_limits<int64_t>::min()};
  const Outcome outcome = ReadRecords(body.Record(), 1);
  ASSERT_EQ(outcome.records.size(), 1u);
  EXPECT_EQ(outcome.records[0].timestamp_ms,
            std::numeric_limits<int64_t>::max());
}

TEST(RecordCursorDamageTest, OffsetThatDoesNotIncreaseFails) {
  const std::string twice = Body{}.Record() + Body{}.Record();
  EXPECT_THAT(ReadRecords(twice, 2).status,
              IsDataLoss("record 1 of 2: its offset does not increase"));
  EXPECT_THAT(ReadRecords(Body{.offset_delta = -1}.Record(), 1).status,
              IsDataLoss("its offset does not increase"));
}

TEST(RecordCursorDamageTest, OffsetBehindTheLastFails) {
  EXPECT_THAT(ReadRecords(Body{.offset_delta = 9}.Record(), 1).status, IsOk());
  EXPECT_THAT(ReadRecords(Body{.offset_delta = 10}.Record(), 1).status,
              IsDataLoss("its offset is behind the batch's last"));
}

TEST(RecordCursorDamageTest, HeaderCountOutOfBoundsFails) {
  for (const int32_t count : {-1, 2, std::numeric_limits<int32_t>::max()}) {
    const Body body{.headers = Varint(count) + Sized("") + Sized("")};
    EXPECT_THAT(ReadRecords(body.Record(), 1).status,
                IsDataLoss("its header count is out of bounds"))
        << count;
  }
}

TEST(RecordCursorDamageTest, NullHeaderKeyFails) {
  const Body body{.headers = Varint(1) + Varint(-1) + Sized("x")};
  EXPECT_THAT(ReadRecords(body.Record(), 1).status, IsDataLoss("a header"));
}

TEST(RecordCursorDamageTest, HeaderThatLeavesTheRecordFails) {
  const Body body{.headers = Varint(1) + Sized("h") + Varint(5) + "x"};
  EXPECT_THAT(ReadRecords(body.Record(), 1).status, IsDataLoss("a header"));
}

TEST(RecordCursorDamageTest, ErrorNamesTheBatchsOffset) {
  std::string bytes = WithRecords(RecordBatch(Numbers(0, 10)), "", 1);
  StoreBig64(bytes.data(), 12345);
  EXPECT_THAT(ReadAll(bytes).status, IsDataLoss("offset 12345"));
}

TEST(RecordCursorDamageTest, EveryTruncationOfTheRecordsFails) {
  const std::string bytes = Numbers(20, 20);
  const RecordBatch batch(bytes);
  for (size_t size = 0; size < batch.records().size(); ++size) {
    EXPECT_FALSE(
        ReadAll(WithRecords(batch, batch.records().substr(0, size), 20))
            .status.ok())
        << size;
  }
}

TEST(RecordCursorDamageTest, RandomDamageBehindARightCrcNeverLeavesTheBatch) {
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

TEST(RecordCursorDamageTest, EveryBitFlipIsFoundOrInBaseOffsetOrLeaderEpoch) {
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
