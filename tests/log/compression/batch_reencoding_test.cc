// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compression/batch_reencoding.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/random_records.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/batch_compression.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/compression/compression_buffers.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;
constexpr Compression kAllForms[] = {Compression::kNone, Compression::kGzip,
                                     Compression::kSnappy, Compression::kLz4,
                                     Compression::kZstd};

// A batch whose every field differs from its default, at a place in a log.
std::string Batch(RandomRecords& random) {
  RecordBatchBuilder builder({.producer_id = 0x5152535455565758,
                              .producer_epoch = 0x6162,
                              .base_sequence = 0x71727374,
                              .transactional = Transactional::kYes,
                              .delete_horizon_ms = 99});
  std::vector<Header> headers;
  for (uint64_t left = 1 + random.Below(20); left > 0; --left) {
    const OwnedRecord record = random.Next();
    CHECK_OK(builder.Append(record.View(&headers), record.timestamp_ms));
  }
  std::string bytes(builder.Finish().bytes());
  StoreBig64(bytes.data() + batch_layout::kBaseOffset, 0x1112131415161718);
  StoreBig32(bytes.data() + batch_layout::kLeaderEpoch, 0x21222324);
  return bytes;
}

// The same in another form, as a producer would have made it.
std::string InForm(const std::string& plain, Compression form) {
  if (form == Compression::kNone) return plain;
  ByteBuffer out;
  return std::string(
      CompressBatch(RecordBatch(plain), FakeCodec(form), 1, out)->bytes());
}

std::string PlainRecords(const RecordBatch& batch) {
  if (batch.compression() == Compression::kNone) {
    return std::string(batch.records());
  }
  return FakeDecompressed(batch.records(), batch.compression())
      .value_or("the stream is damaged");
}

void ExpectOnlyTheCodecDiffers(const RecordBatch& a, const RecordBatch& b) {
  EXPECT_EQ(a.base_offset(), b.base_offset());
  EXPECT_EQ(a.leader_epoch(), b.leader_epoch());
  EXPECT_EQ(a.magic(), b.magic());
  EXPECT_EQ(a.attributes() & ~7, b.attributes() & ~7);
  EXPECT_EQ(a.last_offset_delta(), b.last_offset_delta());
  EXPECT_EQ(a.base_timestamp_ms(), b.base_timestamp_ms());
  EXPECT_EQ(a.max_timestamp_ms(), b.max_timestamp_ms());
  EXPECT_EQ(a.producer_id(), b.producer_id());
  EXPECT_EQ(a.producer_epoch(), b.producer_epoch());
  EXPECT_EQ(a.base_sequence(), b.base_sequence());
  EXPECT_EQ(a.record_count(), b.record_count());
  EXPECT_EQ(PlainRecords(a), PlainRecords(b));
}

class BatchReencodingTest : public testing::Test {
 protected:
  absl::StatusOr<RecordBatch> Reencode(const std::string& bytes,
                                       Compression wanted) {
    return ReencodeBatch(RecordBatch(bytes), {wanted, 7}, &codecs_.all,
                         buffers_);
  }
  absl::StatusOr<RecordBatch> ReencodeWith(const Codecs* codecs,
                                           const std::string& bytes,
                                           Compression wanted) {
    return ReencodeBatch(RecordBatch(bytes), {wanted, 7}, codecs, buffers_);
  }

  FakeCodecs codecs_;
  CompressionBuffers buffers_;
  const uint64_t seed_ = absl::Uniform<uint64_t>(absl::BitGen());
  testing::ScopedTrace seed_is_{__FILE__, __LINE__, seed_};
  RandomRecords random_{seed_};
};

TEST_F(BatchReencodingTest, EveryFormBecomesEveryOtherOneAndKeepsTheRest) {
  for (int round = 0; round < 20; ++round) {
    const std::string plain = Batch(random_);
    for (const Compression from : kAllForms) {
      const std::string bytes = InForm(plain, from);
      for (const Compression to : kAllForms) {
        SCOPED_TRACE(testing::Message()
                     << CompressionName(from) << " to " << CompressionName(to));
        if (from == to) continue;
        const auto stored = Reencode(bytes, to);
        ASSERT_THAT(stored, IsOk());
        EXPECT_EQ(stored->compression(), to);
        ExpectOnlyTheCodecDiffers(*stored, RecordBatch(bytes));
        int64_t size = 0;
        EXPECT_EQ(RecordBatch::Check(stored->bytes(), CrcCheck::kVerify,
                                     kBatchSizeMax, &size),
                  BatchDefect::kNone);
        EXPECT_EQ(size, stored->size());
        if (to == Compression::kNone) {
          EXPECT_EQ(stored->bytes(), plain);
        } else {
          EXPECT_EQ(FakeCodec::LevelOf(stored->records()), 7);
        }
      }
    }
  }
}

TEST_F(BatchReencodingTest, SameCodecControlAndEmptiedBatchesStayAsTheyCame) {
  const std::string plain = Batch(random_);
  for (const Compression from : kAllForms) {
    const std::string bytes = InForm(plain, from);
    for (const Compression to : kAllForms) {
      EXPECT_EQ(IsStoredAsItCame(RecordBatch(bytes), {to, 7}), from == to);
    }
  }
  RecordBatchBuilder marker({.kind = BatchKind::kControl});
  ASSERT_THAT(marker.Append({.key = std::string_view("\0\0\0\1", 4)}, 1),
              IsOk());
  EXPECT_TRUE(
      IsStoredAsItCame(marker.Finish().batch(), {Compression::kZstd, 7}));
  RecordBatchBuilder emptied;
  EXPECT_TRUE(
      IsStoredAsItCame(emptied.FinishAs({.last_offset_delta = 5})->batch(),
                       {Compression::kZstd, 7}));
}

TEST_F(BatchReencodingTest, BatchThatGrowsIsCompressedAllTheSame) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "abcdefghijkl"}, 1), IsOk());
  const std::string plain(builder.Finish().bytes());
  const auto stored = Reencode(plain, Compression::kSnappy);
  ASSERT_THAT(stored, IsOk());
  EXPECT_GT(stored->bytes().size(), plain.size());
  EXPECT_EQ(stored->compression(), Compression::kSnappy);
}

TEST_F(BatchReencodingTest, MissingCodecIsNamedWithItsConfigAndOption) {
  const FakeCodec gzip(Compression::kGzip);
  const Codecs only_gzip({&gzip});
  const std::string plain = Batch(random_);
  for (const Codecs* codecs : {static_cast<const Codecs*>(nullptr),
                               static_cast<const Codecs*>(&only_gzip)}) {
    EXPECT_THAT(
        ReencodeWith(codecs, plain, Compression::kZstd),
        StatusIs(kPrecondition, AllOf(HasSubstr("compression.type=zstd"),
                                      HasSubstr("needs the codec zstd"),
                                      HasSubstr("StoreOptions::codecs"))));
    EXPECT_THAT(ReencodeWith(codecs, InForm(plain, Compression::kLz4),
                             Compression::kNone),
                StatusIs(kPrecondition,
                         AllOf(HasSubstr("compression.type=uncompressed"),
                               HasSubstr("needs the codec lz4"))));
  }
  EXPECT_THAT(ReencodeWith(&only_gzip, InForm(plain, Compression::kLz4),
                           Compression::kGzip),
              StatusIs(kPrecondition, HasSubstr("needs the codec lz4")));
  EXPECT_THAT(ReencodeWith(&only_gzip, plain, Compression::kGzip), IsOk());
}

TEST_F(BatchReencodingTest, DamagedStreamIsInvalid) {
  const std::string good = InForm(Batch(random_), Compression::kZstd);
  const std::string cut =
      WithRecords(RecordBatch(good),
                  std::string_view(good).substr(61, good.size() - 61 - 1),
                  RecordBatch(good).record_count());
  for (const Compression wanted : {Compression::kNone, Compression::kGzip}) {
    EXPECT_THAT(Reencode(cut, wanted),
                StatusIs(kInvalid, HasSubstr("zstd: the stream is cut")));
  }
}

TEST_F(BatchReencodingTest, WrongCrcIsInvalidAndNotMadeRight) {
  const std::string plain = Batch(random_);
  for (const Compression from : kAllForms) {
    std::string bytes = InForm(plain, from);
    // Of the producer's id: neither the records nor a codec would miss it.
    bytes[batch_layout::kProducerId] ^= 1;
    for (const Compression to : kAllForms) {
      if (from == to) continue;
      EXPECT_THAT(Reencode(bytes, to),
                  StatusIs(kInvalid, HasSubstr("the checksum does not match")));
    }
  }
}

TEST_F(BatchReencodingTest, RecordsThatCannotBeReadAreInvalid) {
  const std::string plain = Batch(random_);
  for (const Compression from : kAllForms) {
    const std::string bytes =
        InForm(WithRecords(RecordBatch(plain), "junk",
                           RecordBatch(plain).record_count()),
               from);
    for (const Compression to : kAllForms) {
      if (from == to) continue;
      EXPECT_THAT(Reencode(bytes, to),
                  StatusIs(kInvalid, HasSubstr("record 0 of")));
    }
  }
}

TEST_F(BatchReencodingTest, WrongLargestTimestampIsInvalid) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.value = "v"}, 1000), IsOk());
  const std::string bytes(
      builder.FinishAs({.max_timestamp_ms = 2000})->bytes());
  EXPECT_THAT(Reencode(bytes, Compression::kZstd),
              StatusIs(kInvalid, HasSubstr("largest timestamp of 2000 ms")));
}

TEST_F(BatchReencodingTest, MoreThanTheCodecsAllowIsInvalid) {
  const std::string plain = Batch(random_);
  const auto size = static_cast<int64_t>(plain.size()) - 61;
  const FakeCodec zstd(Compression::kZstd);
  const Codecs enough({&zstd}, size);
  const Codecs too_few({&zstd}, size - 1);
  const std::string bytes = InForm(plain, Compression::kZstd);
  EXPECT_THAT(ReencodeWith(&enough, bytes, Compression::kNone), IsOk());
  EXPECT_THAT(ReencodeWith(&too_few, bytes, Compression::kNone),
              StatusIs(kInvalid, HasSubstr("bytes come out")));
  EXPECT_THAT(ReencodeWith(&too_few, plain, Compression::kZstd), IsOk());
}

TEST_F(BatchReencodingTest, StampedBatchKeepsItsTime) {
  RecordBatchBuilder builder({.timestamp_type = TimestampType::kLogAppendTime});
  ASSERT_THAT(builder.Append({.value = "v"}, 1000), IsOk());
  const std::string bytes(builder.FinishAs({.max_timestamp_ms = 5})->bytes());
  const auto stored = Reencode(bytes, Compression::kZstd);
  ASSERT_THAT(stored, IsOk());
  ExpectOnlyTheCodecDiffers(*stored, RecordBatch(bytes));
}

TEST_F(BatchReencodingTest, OffsetsThatAreLeftOutStayLeftOut) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.AppendAt(3, {.value = "a"}, 1), IsOk());
  ASSERT_THAT(builder.AppendAt(9, {.value = "b"}, 2), IsOk());
  const std::string bytes(builder.FinishAs({.last_offset_delta = 12})->bytes());
  const auto stored = Reencode(bytes, Compression::kGzip);
  ASSERT_THAT(stored, IsOk());
  ExpectOnlyTheCodecDiffers(*stored, RecordBatch(bytes));
  EXPECT_EQ(stored->last_offset_delta(), 12);
}

}  // namespace
}  // namespace varve
