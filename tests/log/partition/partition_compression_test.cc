// SPDX-License-Identifier: Apache-2.0

// Appends to a log whose config says how batches are stored, with codecs and
// without.

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/fake_codec.h"
#include "tests/log/partition/compressed_partition_fixture.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

class PartitionCompressionTest : public CompressedPartitionFixture {
 protected:
  // Three records of a transactional producer, which go on where its last batch
  // has ended.
  EncodedBatch InForm(Compression form) {
    builders_.emplace_back(BatchOptions{.producer_id = 4000,
                                        .producer_epoch = 3,
                                        .base_sequence = sequence_,
                                        .transactional = Transactional::kYes});
    for (const int64_t time : {1000, 3000, 2000}) {
      EXPECT_THAT(builder().Append({.key = "k", .value = "vvvvvvvvvvvv"}, time),
                  IsOk());
    }
    if (form == Compression::kNone) return builder().Finish();
    return *builder().FinishCompressed(FakeCodec(form), 1);
  }
  absl::StatusOr<AppendResult> TryAppendBatch(const EncodedBatch& batch) {
    const auto result = log_->Append(batch, Durability::kMemory);
    if (result.ok()) sequence_ += 3;
    return result;
  }

  void ExpectStored(int64_t offset, Compression form,
                    const EncodedBatch& came) {
    const std::string bytes = StoredBytes(offset);
    const RecordBatch batch(bytes);
    EXPECT_EQ(batch.base_offset(), offset);
    EXPECT_EQ(batch.leader_epoch(), 0);
    EXPECT_EQ(batch.attributes(), 0x10 | static_cast<int>(form));
    EXPECT_EQ(batch.last_offset_delta(), 2);
    EXPECT_EQ(batch.base_timestamp_ms(), 1000);
    EXPECT_EQ(batch.max_timestamp_ms(), 3000);
    EXPECT_EQ(batch.producer_id(), 4000);
    EXPECT_EQ(batch.producer_epoch(), 3);
    EXPECT_EQ(batch.base_sequence(), came.batch().base_sequence());
    EXPECT_EQ(batch.record_count(), 3);
    EXPECT_EQ(batch.crc(), batch.ComputeCrc());
    EXPECT_EQ(StoredRecords(offset), builder().records());
    if (form == came.batch().compression()) {
      EXPECT_EQ(batch.records(), came.batch().records()) << "it was touched";
    }
  }

  // Of the batch made last. All stay, because batches point into them.
  RecordBatchBuilder& builder() { return builders_.back(); }

  std::list<RecordBatchBuilder> builders_;
  int32_t sequence_ = 17;
};

TEST_F(PartitionCompressionTest, EveryTypeStoresEveryFormByKafkasRule) {
  for (const CompressionType type : kTypes) {
    Open(type);
    for (const Compression form : kForms) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(type) << " gets "
                                      << CompressionName(form));
      const EncodedBatch batch = InForm(form);
      const auto result = TryAppendBatch(batch);
      ASSERT_THAT(result, IsOk());
      EXPECT_EQ(result->next_offset, result->offset + 3);
      EXPECT_EQ(result->timestamp, absl::FromUnixMillis(3000));
      ExpectStored(result->offset, StoredForm(type, form), batch);

      const EncodedBatch next = InForm(form);
      const auto async = log_->AppendAsync(next, [](auto) {});
      ASSERT_THAT(async, IsOk());
      sequence_ += 3;
      ExpectStored(async->offset, StoredForm(type, form), next);
    }
    EXPECT_EQ(log_->visible_end(), 30);
    EXPECT_EQ(ReadAll().size(), 30);
    ASSERT_THAT(log_->Close(), IsOk());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
}

TEST_F(PartitionCompressionTest, RecordsAreStoredWithTheTopicsCodec) {
  for (const CompressionType type : kTypes) {
    if (log_ == nullptr) Open(type);
    Set(type);
    const Compression form = StoredForm(type, Compression::kNone);
    const int64_t first = Append("a record");
    const int64_t second = AppendAsync("another");
    for (const int64_t offset : {first, second}) {
      const std::string bytes = StoredBytes(offset);
      EXPECT_EQ(RecordBatch(bytes).attributes(), static_cast<int>(form));
      EXPECT_EQ(RecordBatch(bytes).record_count(), 1);
      EXPECT_EQ(RecordBatch(bytes).crc(), RecordBatch(bytes).ComputeCrc());
    }
    EXPECT_EQ(ReadAll().at(first), "a record");
    EXPECT_EQ(ReadAll().at(second), "another");
  }
}

TEST_F(PartitionCompressionTest, CallbackIsCalledWhenTheBatchIsDurable) {
  Open(CompressionType::kZstd);
  EXPECT_EQ(AppendAsync("a"), 0);
  EXPECT_EQ(AppendAsync("b"), 1);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre(0, 1));
}

TEST_F(PartitionCompressionTest, LevelIsThatOfTheConfig) {
  config_.compression_zstd_level = -5;
  Open(CompressionType::kZstd);
  EXPECT_EQ(FakeCodec::LevelOf(RecordBatch(StoredBytes(Append("v"))).records()),
            -5);
}

TEST_F(PartitionCompressionTest, LogAppendTimeStampsTheHeaderAlone) {
  config_.message_timestamp_type = TimestampType::kLogAppendTime;
  Open(CompressionType::kZstd);
  for (const Compression form : {Compression::kNone, Compression::kZstd}) {
    const auto result = TryAppendBatch(InForm(form));
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(result->timestamp, clock_.Now());
    const std::string bytes = StoredBytes(result->offset);
    const RecordBatch batch(bytes);
    EXPECT_EQ(batch.attributes(), 0x10 | 0x08 | 4);
    EXPECT_EQ(batch.base_timestamp_ms(), 1000);
    EXPECT_EQ(batch.max_timestamp_ms(), absl::ToUnixMillis(clock_.Now()));
    EXPECT_EQ(batch.crc(), batch.ComputeCrc());
    EXPECT_EQ(StoredRecords(result->offset), builder().records());
  }
  const auto one = TryAppend("v");
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(one->timestamp, clock_.Now());
  EXPECT_EQ(RecordBatch(StoredBytes(one->offset)).attributes(), 0x08 | 4);
}

TEST_F(PartitionCompressionTest, ControlBatchIsNeverCompressed) {
  Open(CompressionType::kZstd);
  RecordBatchBuilder marker({.producer_id = 4000,
                             .producer_epoch = 3,
                             .transactional = Transactional::kYes,
                             .kind = BatchKind::kControl});
  const ControlRecordKey key(ControlRecordType::kCommit);
  const EndTransactionValue value(0);
  ASSERT_THAT(marker.Append({.key = key.bytes(), .value = value.bytes()}, 1),
              IsOk());
  const EncodedBatch batch = marker.Finish();
  ASSERT_THAT(TryAppendBatch(batch), IsOk());
  EXPECT_EQ(RecordBatch(StoredBytes(0)).attributes(), 0x30);
  EXPECT_EQ(RecordBatch(StoredBytes(0)).records(), batch.batch().records());
}

TEST_F(PartitionCompressionTest, LimitsAreThoseOfTheBatchAsItIsStored) {
  config_.max_message_bytes = 1000;
  Open(CompressionType::kZstd);
  // Runs shrink, and noise doubles.
  EXPECT_EQ(Append(std::string(50'000, 'x')), 0);
  std::string noise;
  for (int i = 0; i < 600; ++i) noise.push_back(static_cast<char>(i % 250));
  EXPECT_THAT(TryAppend(noise),
              StatusIs(kInvalid, HasSubstr("larger than max.message.bytes")));
  Set(CompressionType::kProducer);
  EXPECT_EQ(Append(noise), 1);

  Set(CompressionType::kUncompressed);
  RecordBatchBuilder large;
  ASSERT_THAT(large.Append({.value = std::string(2000, 'x')}, 1), IsOk());
  EXPECT_THAT(TryAppendBatch(*large.FinishCompressed(fake_.gzip)),
              StatusIs(kInvalid, HasSubstr("a batch of 2070 bytes is larger")));
  EXPECT_EQ(log_->visible_end(), 2);
}

TEST_F(PartitionCompressionTest, LogWithoutTheCodecIsReadAndRefusesAppends) {
  codecs_ = nullptr;
  Open(CompressionType::kProducer);
  AppendMany(3);
  CloseCleanly();
  config_.compression_type = CompressionType::kZstd;
  OpenClean();
  EXPECT_EQ(ReadAll(), Values(0, 3));
  const auto refused =
      StatusIs(kPrecondition, AllOf(HasSubstr("compression.type=zstd"),
                                    HasSubstr("codec zstd"),
                                    HasSubstr("StoreOptions::codecs")));
  EXPECT_THAT(TryAppend("v"), refused);
  EXPECT_THAT(TryAppendAsync("v"), refused);
  EXPECT_THAT(TryAppendBatch(InForm(Compression::kNone)), refused);
  EXPECT_THAT(TryAppendBatch(InForm(Compression::kGzip)), refused);
  EXPECT_EQ(log_->visible_end(), 3);
  // What has the codec already needs none.
  EXPECT_THAT(TryAppendBatch(InForm(Compression::kZstd)), IsOk());

  Set(CompressionType::kUncompressed);
  EXPECT_EQ(Append("v"), 6);
  EXPECT_THAT(
      TryAppendBatch(InForm(Compression::kGzip)),
      StatusIs(kPrecondition, AllOf(HasSubstr("compression.type=uncompressed"),
                                    HasSubstr("codec gzip"))));
  Set(CompressionType::kProducer);
  EXPECT_THAT(TryAppendBatch(InForm(Compression::kGzip)), IsOk());
  EXPECT_THAT(CallBack(), ElementsAre());
  CloseCleanly();
}

TEST_F(PartitionCompressionTest, BatchThatCannotBeEncodedAgainChangesNothing) {
  Open(CompressionType::kUncompressed);
  ASSERT_THAT(TryAppendBatch(InForm(Compression::kLz4)), IsOk());
  const EncodedBatch damaged =
      *builder().FinishCompressed(Compression::kLz4, "no stream");
  EXPECT_THAT(TryAppendBatch(damaged),
              StatusIs(kInvalid, HasSubstr("lz4: no stream of this codec")));
  bool called = false;
  EXPECT_THAT(log_->AppendAsync(damaged, [&](auto) { called = true; }),
              StatusIs(kInvalid));
  const Codecs few({&fake_.lz4}, 10);
  EXPECT_EQ(log_->visible_end(), 3);
  EXPECT_THAT(TryAppendBatch(InForm(Compression::kLz4)), IsOk())
      << "the log is poisoned";
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_FALSE(called);
  // A topic that stores what comes does not look into it.
  Open(CompressionType::kProducer);
  EXPECT_THAT(TryAppendBatch(damaged), IsOk());
}

TEST_F(PartitionCompressionTest, NewConfigActsOnTheNextAppend) {
  Open(CompressionType::kProducer);
  for (const CompressionType type : kTypes) {
    Set(type);
    const Compression form = StoredForm(type, Compression::kNone);
    EXPECT_EQ(RecordBatch(StoredBytes(Append("v"))).compression(), form);
  }
  CloseCleanly();
  OpenClean();
  EXPECT_EQ(RecordBatch(StoredBytes(Append("v"))).compression(),
            StoredForm(kTypes.back(), Compression::kNone));
}

TEST_F(PartitionCompressionTest, EndedLogSaysThatAndNotThatACodecIsMissing) {
  codecs_ = nullptr;
  Open(CompressionType::kZstd);
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_THAT(TryAppend("v"), StatusIs(kPrecondition, HasSubstr("closed")));
  Open(CompressionType::kZstd);
  log_->Abandon();
  EXPECT_THAT(TryAppend("v"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(PartitionCompressionTest, WhatACrashLeavesIsRecovered) {
  Open(CompressionType::kSnappy);
  AppendMany(20);
  Crash();
  Recover();
  EXPECT_EQ(ReadAll(), Values(0, 20));
  AppendMany(1);
  EXPECT_EQ(ReadAll(), Values(0, 21));
}

}  // namespace
}  // namespace varve
