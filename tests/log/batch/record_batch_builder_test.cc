// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_batch_builder.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();

// A value of any size whose bytes must never be read.
std::string_view Unreadable(int64_t size) {
  return {reinterpret_cast<const char*>(4096), static_cast<size_t>(size)};
}

std::vector<int64_t> Timestamps(const RecordBatch& batch) {
  std::vector<int64_t> timestamps;
  RecordCursor cursor(batch);
  while (const RecordView* record = cursor.Next()) {
    timestamps.push_back(record->timestamp_ms());
  }
  EXPECT_THAT(cursor.status(), IsOk());
  return timestamps;
}

TEST(RecordBatchBuilderTest, DefaultBatchHasNoPlaceAndNoProducer) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "v"}, 77), IsOk());
  const EncodedBatch encoded = builder.Finish();
  const RecordBatch& batch = encoded.batch();
  EXPECT_EQ(batch.base_offset(), 0);
  EXPECT_EQ(batch.leader_epoch(), -1);
  EXPECT_EQ(batch.attributes(), 0);
  EXPECT_EQ(batch.last_offset_delta(), 0);
  EXPECT_EQ(batch.base_timestamp_ms(), 77);
  EXPECT_EQ(batch.max_timestamp_ms(), 77);
  EXPECT_EQ(batch.producer_id(), -1);
  EXPECT_EQ(batch.producer_epoch(), -1);
  EXPECT_EQ(batch.base_sequence(), -1);
  EXPECT_EQ(batch.record_count(), 1);
  EXPECT_EQ(encoded.size_bytes(), builder.size_bytes());
  EXPECT_EQ(encoded.offset_count(), 1);
  EXPECT_THAT(EncodedBatch::Parse(encoded.bytes()), IsOk());
}

TEST(RecordBatchBuilderTest, BaseTimeIsTheFirstAndMaximumTheLargest) {
  RecordBatchBuilder builder;
  for (int64_t timestamp : {500, 900, 100}) {
    ASSERT_THAT(builder.Append({}, timestamp), IsOk());
  }
  const RecordBatch batch = builder.Finish().batch();
  EXPECT_EQ(batch.base_timestamp_ms(), 500);
  EXPECT_EQ(batch.max_timestamp_ms(), 900);
  EXPECT_THAT(Timestamps(batch), testing::ElementsAre(500, 900, 100));
}

TEST(RecordBatchBuilderTest, ExtremeTimesReturn) {
  constexpr int64_t kLatest = std::numeric_limits<int64_t>::max() - 1;
  RecordBatchBuilder builder;
  for (int64_t timestamp : {kNoTimestamp, kLatest, int64_t{0}}) {
    ASSERT_THAT(builder.Append({}, timestamp), IsOk());
  }
  const RecordBatch batch = builder.Finish().batch();
  EXPECT_THAT(Timestamps(batch), testing::ElementsAre(-1, kLatest, 0));
  EXPECT_EQ(batch.max_timestamp_ms(), kLatest);
}

TEST(RecordBatchBuilderTest, RecordsOwnTimeGoesBeforeTheDefault) {
  const absl::Time own = absl::FromUnixMillis(5) + absl::Microseconds(999);
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.timestamp = own}, absl::FromUnixMillis(9)),
              IsOk());
  ASSERT_THAT(builder.Append({}, absl::FromUnixMillis(9)), IsOk());
  EXPECT_THAT(Timestamps(builder.Finish().batch()), testing::ElementsAre(5, 9));
}

TEST(RecordBatchBuilderTest, ImpossibleTimesAreInvalid) {
  RecordBatchBuilder builder;
  for (int64_t time : {int64_t{-2}, std::numeric_limits<int64_t>::max()})
    EXPECT_THAT(builder.Append({}, time), StatusIs(kInvalid));
  for (absl::Time time : {absl::FromUnixMillis(-1), absl::InfiniteFuture(),
                          absl::InfinitePast()}) {
    EXPECT_THAT(builder.Append({.timestamp = time}, absl::UnixEpoch()),
                StatusIs(kInvalid, HasSubstr("timestamp")));
  }
  EXPECT_EQ(builder.record_count(), 0);
}

TEST(RecordBatchBuilderTest, EveryOptionReachesItsField) {
  RecordBatchBuilder builder({.producer_id = 0x5152535455565758,
                              .producer_epoch = 0x6162,
                              .base_sequence = 0x71727374,
                              .transactional = Transactional::kYes,
                              .timestamp_type = TimestampType::kLogAppendTime,
                              .delete_horizon_ms = 99});
  ASSERT_THAT(builder.Append({.value = "v"}, 33), IsOk());
  const RecordBatch batch = builder.Finish().batch();
  EXPECT_EQ(batch.producer_id(), 0x5152535455565758);
  EXPECT_EQ(batch.producer_epoch(), 0x6162);
  EXPECT_EQ(batch.base_sequence(), 0x71727374);
  EXPECT_EQ(batch.attributes(), 0x58);
  EXPECT_EQ(batch.base_timestamp_ms(), 99);
  EXPECT_EQ(batch.max_timestamp_ms(), 33);
}

TEST(RecordBatchBuilderTest, EveryAttributeBitCanBeWritten) {
  const auto attributes = [](const BatchOptions& options) {
    RecordBatchBuilder builder(options);
    EXPECT_THAT(builder.Append({}, 1), IsOk());
    return builder.Finish().batch().attributes();
  };
  EXPECT_EQ(attributes({.timestamp_type = TimestampType::kLogAppendTime}),
            0x08);
  EXPECT_EQ(attributes({.producer_id = 1,
                        .producer_epoch = 1,
                        .base_sequence = 1,
                        .transactional = Transactional::kYes}),
            0x10);
  EXPECT_EQ(attributes({.kind = BatchKind::kControl}), 0x20);
  EXPECT_EQ(attributes({.delete_horizon_ms = 5}), 0x40);
}

TEST(RecordBatchBuilderTest, CompressedBatchCarriesBytesAndCodec) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "abc"}, 1), IsOk());
  ASSERT_THAT(builder.Append({.value = "def"}, 2), IsOk());
  const std::string plain(builder.Finish().bytes());
  EXPECT_EQ(builder.records(), std::string_view(plain).substr(61));
  for (int codec = 1; codec <= 4; ++codec) {
    absl::StatusOr<EncodedBatch> batch =
        builder.FinishCompressed(static_cast<Compression>(codec), "squeezed");
    ASSERT_THAT(batch, IsOk());
    EXPECT_EQ(batch->batch().records(), "squeezed");
    EXPECT_EQ(batch->batch().attributes(), codec);
    EXPECT_EQ(batch->record_count(), 2);
    EXPECT_THAT(EncodedBatch::Parse(batch->bytes()), IsOk());
  }
  EXPECT_EQ(builder.Finish().bytes(), plain) << "the builder is as it was";
}

TEST(RecordBatchBuilderTest, CodecCompressesTheRecordsAndTheBuilderGoesOn) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = std::string(900, 'a')}, 1), IsOk());
  for (int round = 0; round < 2; ++round) {
    ASSERT_THAT(builder.Append({.value = "b"}, 2 + round), IsOk());
    const std::string plain(builder.Finish().bytes());
    for (int i = 1; i <= 4; ++i) {
      const FakeCodec codec(static_cast<Compression>(i));
      const auto encoded = builder.FinishCompressed(codec, i);
      ASSERT_THAT(encoded, IsOk());
      const RecordBatch& batch = encoded->batch();
      EXPECT_EQ(FakeDecompressed(batch.records(), codec.compression()),
                plain.substr(61));
      EXPECT_EQ(FakeCodec::LevelOf(batch.records()), i);
      EXPECT_EQ(batch.attributes(), i);
      EXPECT_EQ(batch.record_count(), 2 + round);
      EXPECT_EQ(batch.max_timestamp_ms(), 2 + round);
      EXPECT_EQ(batch.crc(), batch.ComputeCrc());
      EXPECT_THAT(EncodedBatch::Parse(batch.bytes()), IsOk());
    }
    EXPECT_EQ(builder.Finish().bytes(), plain);
  }
}

TEST(RecordBatchBuilderTest, CodecGetsItsDefaultLevelUnlessOneIsAskedFor) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "v"}, 1), IsOk());
  const auto batch = builder.FinishCompressed(FakeCodec(Compression::kZstd));
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(FakeCodec::LevelOf(batch->batch().records()), Codec::kDefaultLevel);
}

TEST(RecordBatchBuilderTest, CompressedBatchKeepsEveryOption) {
  RecordBatchBuilder builder({.producer_id = 5,
                              .producer_epoch = 6,
                              .base_sequence = 7,
                              .transactional = Transactional::kYes,
                              .timestamp_type = TimestampType::kLogAppendTime,
                              .delete_horizon_ms = 99});
  ASSERT_THAT(builder.Append({.value = "v"}, 33), IsOk());
  const RecordBatch batch =
      builder.FinishCompressed(FakeCodec(Compression::kLz4))->batch();
  EXPECT_EQ(batch.attributes(), 0x58 | 3);
  EXPECT_EQ(batch.base_timestamp_ms(), 99);
  EXPECT_EQ(batch.producer_id(), 5);
  EXPECT_EQ(batch.producer_epoch(), 6);
  EXPECT_EQ(batch.base_sequence(), 7);
}

TEST(RecordBatchBuilderTest, CodecThatFailsLeavesTheBuilderAsItWas) {
  const FakeCodec codec(Compression::kGzip);
  RecordBatchBuilder builder;
  EXPECT_THAT(builder.FinishCompressed(codec),
              StatusIs(kInvalid, HasSubstr("no record to compress")));
  ASSERT_THAT(builder.Append({.value = "v"}, 1), IsOk());
  const std::string plain(builder.Finish().bytes());
  EXPECT_THAT(builder.FinishCompressed(codec, FakeCodec::kLevelMax + 1),
              StatusIs(kInvalid, HasSubstr("no level 23")));
  EXPECT_EQ(builder.Finish().bytes(), plain);
  EXPECT_THAT(builder.FinishCompressed(codec), IsOk());
}

TEST(RecordBatchBuilderTest, CompressedBatchesStopAllocatingToo) {
  const FakeCodec codec(Compression::kZstd);
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = std::string(5000, 'x')}, 1), IsOk());
  const char* const place = builder.FinishCompressed(codec)->bytes().data();
  builder.Clear();
  ASSERT_THAT(builder.Append({.value = std::string(4000, 'y')}, 1), IsOk());
  EXPECT_EQ(builder.FinishCompressed(codec)->bytes().data(), place);
}

TEST(RecordBatchBuilderTest, CompressedNonsenseIsInvalid) {
  RecordBatchBuilder builder;
  EXPECT_THAT(builder.FinishCompressed(Compression::kZstd, "x"),
              StatusIs(kInvalid));
  ASSERT_THAT(builder.Append({}, 1), IsOk());
  EXPECT_THAT(builder.FinishCompressed(Compression::kNone, "x"),
              StatusIs(kInvalid));
  EXPECT_THAT(builder.FinishCompressed(static_cast<Compression>(5), "x"),
              StatusIs(kInvalid));
  EXPECT_THAT(
      builder.FinishCompressed(Compression::kLz4, Unreadable(kBatchSizeMax)),
      StatusIs(kInvalid, HasSubstr("limit")));
}

TEST(RecordBatchBuilderTest, ContradictoryOptionsFailEveryCall) {
  const std::vector<BatchOptions> table = {
      {.producer_id = -2},
      {.producer_epoch = 0},
      {.base_sequence = 0},
      {.transactional = Transactional::kYes},
      {.producer_id = 1, .base_sequence = 0},
      {.producer_id = 1, .producer_epoch = 0},
      {.producer_id = 1, .producer_epoch = 0, .base_sequence = -2},
      {.producer_id = 1,
       .producer_epoch = 0,
       .base_sequence = 0,
       .kind = BatchKind::kControl},
      {.delete_horizon_ms = -1}};
  for (const BatchOptions& options : table) {
    RecordBatchBuilder builder(options);
    EXPECT_THAT(builder.Append({}, 1), StatusIs(kInvalid));
    EXPECT_THAT(builder.FinishAs({.last_offset_delta = 0}), StatusIs(kInvalid));
    EXPECT_EQ(builder.record_count(), 0);
  }
}

TEST(RecordBatchBuilderTest, OffsetThatDoesNotIncreaseIsInvalid) {
  RecordBatchBuilder builder;
  EXPECT_THAT(builder.AppendAt(-1, {}, 1), StatusIs(kInvalid));
  ASSERT_THAT(builder.AppendAt(3, {}, 1), IsOk());
  EXPECT_THAT(builder.AppendAt(3, {}, 1), StatusIs(kInvalid));
  ASSERT_THAT(builder.Append({}, 1), IsOk());
  EXPECT_EQ(builder.Finish().batch().last_offset_delta(), 4);
}

TEST(RecordBatchBuilderTest, NothingFollowsTheLastOffset) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.AppendAt(kInt32Max, {}, 1), IsOk());
  EXPECT_THAT(builder.Append({}, 1), StatusIs(kInvalid));
}

TEST(RecordBatchBuilderTest, ShapeMustHoldTheRecords) {
  RecordBatchBuilder builder;
  EXPECT_THAT(builder.FinishAs({}), StatusIs(kInvalid));
  EXPECT_THAT(builder.FinishAs({.last_offset_delta = -1}), StatusIs(kInvalid));
  ASSERT_THAT(builder.AppendAt(3, {}, 1), IsOk());
  EXPECT_THAT(builder.FinishAs({.last_offset_delta = 2}), StatusIs(kInvalid));
  EXPECT_THAT(builder.FinishAs({.last_offset_delta = 3}), IsOk());
}

TEST(RecordBatchBuilderTest, RecordTooLargeIsInvalidAndChangesNothing) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "first"}, 1), IsOk());
  const std::string before(builder.Finish().bytes());
  for (const int64_t size :
       {kBatchSizeMax, kBatchSizeMax + 1, int64_t{1} << 33, int64_t{1} << 50}) {
    const Header header{.key = Unreadable(size)};
    EXPECT_THAT(builder.Append({.key = Unreadable(size)}, 1),
                StatusIs(kInvalid, HasSubstr("does not fit")));
    EXPECT_THAT(builder.Append({.value = Unreadable(size)}, 1),
                StatusIs(kInvalid));
    EXPECT_THAT(builder.Append({.headers = absl::MakeConstSpan(&header, 1)}, 1),
                StatusIs(kInvalid));
  }
  EXPECT_EQ(builder.Finish().bytes(), before);
}

TEST(RecordBatchBuilderTest, BatchOneByteAboveTheLimitIsInvalid) {
  // 61 of header, 5 of length, 4 of attributes, time, offset and key, 5 and
  // the value itself, 1 of headers.
  constexpr int64_t kOther = 61 + 5 + 4 + 5 + 1;
  RecordBatchBuilder builder;
  EXPECT_THAT(
      builder.Append({.value = Unreadable(kBatchSizeMax - kOther + 1)}, 1),
      StatusIs(kInvalid));
}

TEST(RecordBatchBuilderTest, FullBatchRefusesARecordThatFitsTheNextOne) {
  RecordBatchBuilder one;
  ASSERT_THAT(one.Append({.value = "0123456789"}, 1), IsOk());
  RecordBatchBuilder builder(BatchOptions{.size_max = one.size_bytes()});
  EXPECT_TRUE(builder.empty());
  EXPECT_THAT(builder.Append({.value = "0123456789+"}, 1), StatusIs(kInvalid));
  ASSERT_THAT(builder.Append({.value = "0123456789"}, 1), IsOk());
  EXPECT_FALSE(builder.empty());
  const std::string before(builder.Finish().bytes());
  EXPECT_THAT(builder.Append({.value = "a"}, 1),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("does not fit")));
  EXPECT_EQ(builder.Finish().bytes(), before);
  builder.Clear();
  EXPECT_THAT(builder.Append({.value = "a"}, 1), IsOk());
}

TEST(RecordBatchBuilderTest, SizeMaxBeyondTheFormatIsInvalid) {
  for (const int64_t size_max : {int64_t{0}, int64_t{-1}, kBatchSizeMax + 1}) {
    RecordBatchBuilder builder(BatchOptions{.size_max = size_max});
    EXPECT_THAT(builder.Append({.value = "a"}, 1),
                StatusIs(kInvalid, HasSubstr("size_max")));
  }
}

TEST(RecordBatchBuilderTest, FinishAppendFinishGivesTheLongerBatch) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "a"}, 1), IsOk());
  EXPECT_EQ(builder.Finish().record_count(), 1);
  ASSERT_THAT(builder.Append({.value = "b"}, 2), IsOk());
  const EncodedBatch batch = builder.Finish();
  EXPECT_EQ(batch.record_count(), 2);
  EXPECT_THAT(EncodedBatch::Parse(batch.bytes()), IsOk());
}

TEST(RecordBatchBuilderTest, ClearedBuilderMakesTheSameBatchInTheSamePlace) {
  RecordBatchBuilder builder;
  std::string first;
  const char* place = nullptr;
  for (int round = 0; round < 3; ++round) {
    builder.Clear();
    for (int i = 0; i < 1000; ++i) {
      ASSERT_THAT(builder.Append({.key = "key", .value = "value"}, i), IsOk());
    }
    const EncodedBatch batch = builder.Finish();
    if (round == 0) {
      first = std::string(batch.bytes());
      place = batch.bytes().data();
    }
    EXPECT_EQ(batch.bytes(), first);
    EXPECT_EQ(batch.bytes().data(), place) << "steady state allocates";
  }
}

TEST(RecordBatchBuilderTest, MovedBuilderKeepsItsRecords) {
  RecordBatchBuilder from;
  ASSERT_THAT(from.Append({.value = "a"}, 1), IsOk());
  RecordBatchBuilder to = std::move(from);
  ASSERT_THAT(to.Append({.value = "b"}, 2), IsOk());
  EXPECT_THAT(EncodedBatch::Parse(to.Finish().bytes()), IsOk());
}

TEST(RecordBatchBuilderDeathTest, FinishWithoutRecordsIsAProgrammersError) {
  RecordBatchBuilder builder;
  EXPECT_DEATH(builder.Finish(), "without records");
}

}  // namespace
}  // namespace varve
