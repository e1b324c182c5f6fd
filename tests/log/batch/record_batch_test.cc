// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_batch.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch_builder.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using testing::AllOf;
using testing::HasSubstr;

constexpr int64_t kNoLimit = kBatchSizeMax;

// A header with a distinct value in every field, and 39 bytes after it.
std::string DistinctBytes() {
  std::string bytes(100, 'r');
  char* at = bytes.data();
  StoreBig64(at, 0x0102030405060708);
  StoreBig32(at + 8, 88);
  StoreBig32(at + 12, 0x11121314);
  at[16] = 2;
  StoreBig16(at + 21, 0);
  StoreBig32(at + 23, 0x21222324);
  StoreBig64(at + 27, 0x3132333435363738);
  StoreBig64(at + 35, 0x4142434445464748);
  StoreBig64(at + 43, 0x5152535455565758);
  StoreBig16(at + 51, 0x6162);
  StoreBig32(at + 53, 0x71727374);
  StoreBig32(at + 57, 0x01020304);
  return WithCrc(bytes);
}

// One record, 70 bytes or so.
std::string SmallBatch() {
  RecordBatchBuilder builder;
  EXPECT_THAT(builder.Append({.value = "v"}, 1), IsOk());
  return std::string(builder.Finish().bytes());
}

struct Found {
  BatchDefect defect;
  int64_t size;

  friend bool operator==(const Found&, const Found&) = default;
  friend void PrintTo(const Found& found, std::ostream* os) {
    *os << BatchDefectText(found.defect) << ", size " << found.size;
  }
};

Found Check(std::string_view bytes, int64_t max_size = kNoLimit,
            CrcCheck crc = CrcCheck::kVerify) {
  Found found{};
  found.defect = RecordBatch::Check(bytes, crc, max_size, &found.size);
  return found;
}

std::string With32(std::string bytes, int at, int32_t value) {
  StoreBig32(bytes.data() + at, value);
  return WithCrc(bytes);
}

std::string With64(std::string bytes, int at, int64_t value) {
  StoreBig64(bytes.data() + at, value);
  return WithCrc(bytes);
}

TEST(RecordBatchTest, EveryAccessorReadsItsOwnField) {
  const std::string bytes = DistinctBytes();
  ASSERT_EQ(Check(bytes), (Found{BatchDefect::kNone, 100}));
  const RecordBatch batch{bytes};
  EXPECT_EQ(batch.base_offset(), 0x0102030405060708);
  EXPECT_EQ(batch.leader_epoch(), 0x11121314);
  EXPECT_EQ(batch.magic(), 2);
  EXPECT_EQ(batch.attributes(), 0);
  EXPECT_EQ(batch.last_offset_delta(), 0x21222324);
  EXPECT_EQ(batch.base_timestamp_ms(), 0x3132333435363738);
  EXPECT_EQ(batch.max_timestamp_ms(), 0x4142434445464748);
  EXPECT_EQ(batch.producer_id(), 0x5152535455565758);
  EXPECT_EQ(batch.producer_epoch(), 0x6162);
  EXPECT_EQ(batch.base_sequence(), 0x71727374);
  EXPECT_EQ(batch.record_count(), 0x01020304);
  EXPECT_EQ(batch.last_offset(), 0x0102030405060708 + 0x21222324);
  EXPECT_EQ(batch.next_offset(), 0x0102030405060708 + 0x21222325);
  EXPECT_EQ(batch.crc(), batch.ComputeCrc());
  EXPECT_EQ(batch.size(), 100);
  EXPECT_EQ(batch.records(), std::string(39, 'r'));
}

TEST(RecordBatchTest, EveryAttributeBitHasItsOwnAccessor) {
  std::string bytes = DistinctBytes();
  for (int bit = 0; bit < 16; ++bit) {
    StoreBig16(bytes.data() + 21, static_cast<int16_t>(1 << bit));
    const RecordBatch batch{bytes};
    EXPECT_EQ(batch.compression(),
              static_cast<Compression>(bit < 3 ? 1 << bit : 0));
    EXPECT_EQ(batch.timestamp_type() == TimestampType::kLogAppendTime,
              bit == 3);
    EXPECT_EQ(batch.is_transactional(), bit == 4);
    EXPECT_EQ(batch.is_control(), bit == 5);
    EXPECT_EQ(batch.has_delete_horizon(), bit == 6);
  }
}

TEST(RecordBatchTest, MoreBytesBehindABatchAreNotLookedAt) {
  const std::string bytes = SmallBatch();
  const auto size = static_cast<int64_t>(bytes.size());
  EXPECT_EQ(Check(bytes + "garbage"), (Found{BatchDefect::kNone, size}));
}

TEST(RecordBatchTest, NoBytesAndLessThanALengthAreTruncated) {
  EXPECT_EQ(Check(""), (Found{BatchDefect::kTruncated, 0}));
  EXPECT_EQ(Check(SmallBatch().substr(0, 11)),
            (Found{BatchDefect::kTruncated, 0}));
}

TEST(RecordBatchTest, EveryTruncationFromTheLengthOnIsTruncatedAndSaysTheSize) {
  const std::string bytes = SmallBatch();
  const auto size = static_cast<int64_t>(bytes.size());
  for (size_t cut = 12; cut < bytes.size(); ++cut) {
    EXPECT_EQ(Check(bytes.substr(0, cut)),
              (Found{BatchDefect::kTruncated, size}));
  }
}

TEST(RecordBatchTest, ZerosAreZeros) {
  EXPECT_EQ(Check(std::string(12, '\0')), (Found{BatchDefect::kZeros, 0}));
  EXPECT_EQ(Check(std::string(4096, '\0')), (Found{BatchDefect::kZeros, 0}));
}

TEST(RecordBatchTest, BatchWithoutItsLengthFieldIsZeros) {
  EXPECT_EQ(Check(With32(SmallBatch(), 8, 0)), (Found{BatchDefect::kZeros, 0}));
}

TEST(RecordBatchTest, LengthBelowAHeaderIsBadLength) {
  for (int32_t length : {48, 14, 1, -1, std::numeric_limits<int32_t>::min()}) {
    EXPECT_EQ(Check(With32(SmallBatch(), 8, length)),
              (Found{BatchDefect::kBadLength, 0}));
  }
}

TEST(RecordBatchTest, LengthAboveTheLimitIsBadLength) {
  const std::string bytes = SmallBatch();
  const auto size = static_cast<int64_t>(bytes.size());
  EXPECT_EQ(Check(bytes, size), (Found{BatchDefect::kNone, size}));
  EXPECT_EQ(Check(bytes, size - 1), (Found{BatchDefect::kBadLength, 0}));
}

TEST(RecordBatchTest, LargestLengthFieldDoesNotOverflow) {
  const std::string bytes =
      With32(SmallBatch(), 8, std::numeric_limits<int32_t>::max());
  EXPECT_EQ(Check(bytes), (Found{BatchDefect::kBadLength, 0}));
  EXPECT_EQ(Check(bytes, int64_t{1} << 40),
            (Found{BatchDefect::kTruncated, (int64_t{1} << 31) + 11}));
}

TEST(RecordBatchTest, HeaderAloneIsABatch) {
  EXPECT_EQ(Check(WithRecords(RecordBatch(SmallBatch()), "", 0)),
            (Found{BatchDefect::kNone, 61}));
}

TEST(RecordBatchTest, OtherMagicIsBadMagic) {
  std::string bytes = SmallBatch();
  const auto size = static_cast<int64_t>(bytes.size());
  for (char magic : {0, 1, 3, 127, -1}) {
    bytes[16] = magic;
    EXPECT_EQ(Check(bytes), (Found{BatchDefect::kBadMagic, size}));
  }
}

TEST(RecordBatchTest, WrongCrcIsBadCrcUnlessSkipped) {
  std::string bytes = SmallBatch();
  const auto size = static_cast<int64_t>(bytes.size());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_EQ(Check(bytes), (Found{BatchDefect::kBadCrc, size}));
  EXPECT_EQ(Check(bytes, kNoLimit, CrcCheck::kSkip),
            (Found{BatchDefect::kNone, size}));
}

TEST(RecordBatchTest, ImpossibleOffsetsAreBadFields) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const std::string bytes = SmallBatch();
  EXPECT_EQ(Check(With64(bytes, 0, kMax - 1)).defect, BatchDefect::kNone);
  EXPECT_EQ(Check(With64(bytes, 0, kMax)).defect, BatchDefect::kBadFields);
  EXPECT_EQ(Check(With64(bytes, 0, -1)).defect, BatchDefect::kBadFields);
  EXPECT_EQ(Check(With32(bytes, 23, -1)).defect, BatchDefect::kBadFields);
  EXPECT_EQ(Check(With64(With32(bytes, 23, 5), 0, kMax - 5)).defect,
            BatchDefect::kBadFields);
}

TEST(RecordBatchTest, BadFieldsAreFoundAlsoWithoutCrc) {
  EXPECT_EQ(
      Check(With64(SmallBatch(), 0, -1), kNoLimit, CrcCheck::kSkip).defect,
      BatchDefect::kBadFields);
}

TEST(RecordBatchTest, ImpossibleRecordCountIsBadFields) {
  const std::string bytes = SmallBatch();  // last offset delta 0
  EXPECT_EQ(Check(With32(bytes, 57, -1)).defect, BatchDefect::kBadFields);
  EXPECT_EQ(Check(With32(bytes, 57, 2)).defect, BatchDefect::kBadFields);
  EXPECT_EQ(Check(With32(bytes, 57, 0)).defect, BatchDefect::kNone);
  const std::string widest =
      With32(bytes, 23, std::numeric_limits<int32_t>::max());
  EXPECT_EQ(
      Check(With32(widest, 57, std::numeric_limits<int32_t>::max())).defect,
      BatchDefect::kNone);
}

TEST(RecordBatchTest, CompressionAboveZstdIsBadFields) {
  std::string bytes = SmallBatch();
  for (int codec = 0; codec < 8; ++codec) {
    StoreBig16(bytes.data() + 21, static_cast<int16_t>(codec));
    EXPECT_EQ(Check(WithCrc(bytes)).defect,
              codec <= 4 ? BatchDefect::kNone : BatchDefect::kBadFields);
  }
}

TEST(RecordBatchTest, OddProducerFieldsAndTimesPass) {
  std::string bytes = SmallBatch();
  StoreBig16(bytes.data() + 21, 0x7f90 - 0x1000);  // transactional, high bits
  StoreBig64(bytes.data() + 27, -5);
  StoreBig16(bytes.data() + 51, -7);
  StoreBig32(bytes.data() + 53, 9);
  EXPECT_EQ(Check(WithCrc(bytes)).defect, BatchDefect::kNone);
}

TEST(RecordBatchTest, ParseGivesTheFirstBatch) {
  const std::string bytes = SmallBatch();
  const std::string both = bytes + bytes;
  absl::StatusOr<RecordBatch> batch =
      RecordBatch::Parse(both, CrcCheck::kVerify);
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->bytes(), bytes);
}

TEST(RecordBatchTest, ParseSaysWhatIsWrong) {
  const auto error = [](const std::string& bytes) {
    return RecordBatch::Parse(bytes, CrcCheck::kVerify).status();
  };
  const std::string good = SmallBatch();
  constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
  EXPECT_THAT(error("abc"),
              StatusIs(kDataLoss, HasSubstr("there are 3 bytes")));
  EXPECT_THAT(error(good.substr(0, 20)), StatusIs(kDataLoss, HasSubstr("end")));
  EXPECT_THAT(error(std::string(99, '\0')),
              StatusIs(kDataLoss, HasSubstr("length field is zero")));
  EXPECT_THAT(error(With32(good, 8, 7)),
              StatusIs(kDataLoss, HasSubstr("length field 7")));
  std::string magic = good;
  magic[16] = 1;
  EXPECT_THAT(error(magic), StatusIs(kDataLoss, HasSubstr("magic 1")));
  std::string crc = good;
  crc[17] = static_cast<char>(crc[17] ^ 1);
  EXPECT_THAT(error(crc), StatusIs(kDataLoss, AllOf(HasSubstr("stored"),
                                                    HasSubstr("computed"))));
  EXPECT_THAT(error(With32(good, 57, 2)),
              StatusIs(kDataLoss, HasSubstr("record count 2")));
}

TEST(RecordBatchTest, CompressionNamesAreKafkas) {
  EXPECT_EQ(CompressionName(Compression::kNone), "none");
  EXPECT_EQ(CompressionName(Compression::kGzip), "gzip");
  EXPECT_EQ(CompressionName(Compression::kSnappy), "snappy");
  EXPECT_EQ(CompressionName(Compression::kLz4), "lz4");
  EXPECT_EQ(CompressionName(Compression::kZstd), "zstd");
  EXPECT_EQ(CompressionName(static_cast<Compression>(5)), "unknown");
}

}  // namespace
}  // namespace varve
