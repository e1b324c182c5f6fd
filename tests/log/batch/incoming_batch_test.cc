// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/incoming_batch.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/random_records.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_cursor.h"

namespace varve {
namespace {

using absl_testing::IsOk;

// Zeroed memory with a margin whose bytes are checked afterwards.
class Memory {
 public:
  explicit Memory(int64_t size) : bytes_(static_cast<size_t>(size) + 16) {}
  ~Memory() {
    for (size_t i = bytes_.size() - 16; i < bytes_.size(); ++i) {
      EXPECT_EQ(bytes_[i], 0) << "written behind the batch";
    }
  }

  char* data() { return bytes_.data(); }
  std::string_view view() const { return {bytes_.data(), bytes_.size() - 16}; }

 private:
  std::vector<char> bytes_;
};

int64_t SizeOf(const Record& record) {
  return IncomingBatch(record, 1, /*now_ms=*/0).size();
}

std::string Placed(const Record& record, int64_t timestamp_ms,
                   const BatchPlacement& placement) {
  const IncomingBatch batch(record, timestamp_ms, /*now_ms=*/0);
  Memory memory(batch.size());
  batch.PlaceAt(memory.data(), placement);
  return std::string(memory.view());
}

std::string Placed(const EncodedBatch& batch, const BatchPlacement& placement) {
  Memory memory(batch.size_bytes());
  IncomingBatch(batch, /*now_ms=*/0).PlaceAt(memory.data(), placement);
  return std::string(memory.view());
}

void ExpectWhole(std::string_view bytes) {
  int64_t size = 0;
  EXPECT_EQ(RecordBatch::Check(bytes, CrcCheck::kVerify, kBatchSizeMax, &size),
            BatchDefect::kNone);
  EXPECT_EQ(size, static_cast<int64_t>(bytes.size()));
}

constexpr BatchPlacement kPlace{.base_offset = 0x0102030405060708,
                                .leader_epoch = 0x11121314};
constexpr BatchPlacement kStamped{
    .base_offset = 9,
    .leader_epoch = 8,
    .timestamp_type = TimestampType::kLogAppendTime,
    .append_time_ms = 5000};

TEST(IncomingBatchTest, PlacedRecordIsABatchAtItsPlace) {
  const std::string bytes = Placed({.key = "k", .value = "v"}, 77, kPlace);
  ExpectWhole(bytes);
  const RecordBatch batch(bytes);
  EXPECT_EQ(batch.base_offset(), kPlace.base_offset);
  EXPECT_EQ(batch.last_offset(), kPlace.base_offset);
  EXPECT_EQ(batch.leader_epoch(), kPlace.leader_epoch);
  EXPECT_EQ(batch.attributes(), 0);
  EXPECT_EQ(batch.base_timestamp_ms(), 77);
  EXPECT_EQ(batch.max_timestamp_ms(), 77);
  EXPECT_EQ(batch.producer_id(), -1);
  EXPECT_EQ(batch.producer_epoch(), -1);
  EXPECT_EQ(batch.base_sequence(), -1);
  EXPECT_EQ(batch.record_count(), 1);
}

TEST(IncomingBatchTest, RecordWithLogAppendTimeIsStamped) {
  const std::string bytes = Placed({.value = "v"}, 77, kStamped);
  ExpectWhole(bytes);
  const RecordBatch batch(bytes);
  EXPECT_EQ(batch.timestamp_type(), TimestampType::kLogAppendTime);
  EXPECT_EQ(batch.base_timestamp_ms(), 77);
  EXPECT_EQ(batch.max_timestamp_ms(), 5000);
  RecordCursor cursor(batch);
  EXPECT_EQ(cursor.Next()->timestamp_ms(), 5000);
}

TEST(IncomingBatchTest, PlacedRecordEqualsABuiltAndPlacedBatch) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomRecords random(seed);
  RecordBatchBuilder builder;
  std::vector<Header> headers;
  for (int i = 0; i < 2000; ++i) {
    const OwnedRecord owned = random.Next();
    const Record record = owned.View(&headers);
    builder.Clear();
    ASSERT_THAT(builder.Append(record, owned.timestamp_ms), IsOk());
    for (const BatchPlacement& place : {kPlace, kStamped}) {
      ASSERT_EQ(Placed(record, owned.timestamp_ms, place),
                Placed(builder.Finish(), place));
    }
  }
}

TEST(IncomingBatchTest, SizeOfASingleRecordBatchCountsKafkasOverhead) {
  const std::string value(100, 'v');
  EXPECT_EQ(SizeOf({.key = "12345678", .value = value}), 178);
  EXPECT_EQ(SizeOf({}), 61 + 7);
  const std::string_view huge(value.data(), size_t{1} << 40);
  EXPECT_GT(SizeOf({.value = huge}), int64_t{1} << 40);
}

TEST(IncomingBatchTest, PlacedBatchDiffersOnlyInOffsetAndEpoch) {
  RecordBatchBuilder builder(
      {.producer_id = 1, .producer_epoch = 2, .base_sequence = 3});
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(builder.Append({.value = "value"}, 100 + i), IsOk());
  }
  std::string expected(builder.Finish().bytes());
  StoreBig64(expected.data(), kPlace.base_offset);
  StoreBig32(expected.data() + 12, kPlace.leader_epoch);
  const std::string bytes = Placed(builder.Finish(), kPlace);
  EXPECT_EQ(bytes, expected);
  ExpectWhole(bytes);
}

TEST(IncomingBatchTest, BatchWithLogAppendTimeKeepsBaseTimeAndOtherBits) {
  RecordBatchBuilder builder({.producer_id = 1,
                              .producer_epoch = 2,
                              .base_sequence = 3,
                              .transactional = Transactional::kYes});
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(builder.Append({.value = "value"}, 100 + i), IsOk());
  }
  const std::string bytes = Placed(builder.Finish(), kStamped);
  ExpectWhole(bytes);
  const RecordBatch batch(bytes);
  EXPECT_EQ(batch.attributes(), 0x18);
  EXPECT_EQ(batch.base_timestamp_ms(), 100);
  EXPECT_EQ(batch.max_timestamp_ms(), 5000);
  EXPECT_EQ(batch.records(), builder.records());
}

TEST(IncomingBatchTest, CompressedAndEmptyBatchesArePlaced) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "value"}, 1), IsOk());
  for (const BatchPlacement& place : {kPlace, kStamped}) {
    ExpectWhole(
        Placed(*builder.FinishCompressed(Compression::kZstd, "xx"), place));
    RecordBatchBuilder empty;
    ExpectWhole(Placed(*empty.FinishAs({.last_offset_delta = 3}), place));
  }
}

TEST(IncomingBatchTest, NeighboursAreNotTouched) {
  const Record record = {.value = "v"};
  const IncomingBatch batch(record, 1, /*now_ms=*/0);
  const int64_t size = batch.size();
  Memory memory(3 * size);
  batch.PlaceAt(memory.data() + size, kPlace);
  EXPECT_EQ(memory.view().substr(0, static_cast<size_t>(size)),
            std::string(static_cast<size_t>(size), '\0'));
  EXPECT_EQ(memory.view().substr(static_cast<size_t>(2 * size)),
            std::string(static_cast<size_t>(size), '\0'));
}

TEST(IncomingBatchTest, KnowsWhatALogAsksBeforeItIsWritten) {
  const Record record = {.value = "v"};
  IncomingBatch one(record, 1000, 2000);
  EXPECT_EQ(one.record_count(), 1);
  EXPECT_EQ(one.max_timestamp_ms(), 1000);
  EXPECT_EQ(one.now_ms(), 2000);
  one.Stamp(2500);
  EXPECT_EQ(one.max_timestamp_ms(), 2500);
  EXPECT_EQ(one.now_ms(), 2000);

  RecordBatchBuilder builder;
  for (const int64_t time : {700, 900, 800})
    ASSERT_THAT(builder.Append(record, time), IsOk());
  const EncodedBatch encoded = builder.Finish();
  const IncomingBatch three(encoded, 2000);
  EXPECT_EQ(three.size(), encoded.size_bytes());
  EXPECT_EQ(three.record_count(), 3);
  EXPECT_EQ(three.last_offset_delta(), 2);
  EXPECT_EQ(three.max_timestamp_ms(), 900);
}

}  // namespace
}  // namespace varve
