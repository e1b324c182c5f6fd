// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_batch.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/batch_bytes.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

using Kind = ProducerBatch::Kind;

// Kafka's worked examples: a COMMIT marker at offset 102, producer 4000, epoch
// 0, coordinator epoch 7; and a batch of offsets 100 and 101 that compaction
// has emptied.
constexpr std::string_view kCommit =
    "00 00 00 00 00 00 00 66 00 00 00 42 00 00 00 03"
    "02 88 b0 50 63 00 30 00 00 00 00 00 00 01 8b cf"
    "e5 68 0a 00 00 01 8b cf e5 68 0a 00 00 00 00 00"
    "00 0f a0 00 00 ff ff ff ff 00 00 00 01 20 00 00"
    "00 08 00 00 00 01 0c 00 00 00 00 00 07 00";
constexpr std::string_view kEmptied =
    "00 00 00 00 00 00 00 64 00 00 00 31 00 00 00 03"
    "02 a3 93 70 92 00 00 00 00 00 01 ff ff ff ff ff"
    "ff ff ff 00 00 01 8b cf e5 68 05 00 00 00 00 00"
    "00 0f a0 00 00 00 00 00 00 00 00 00 00";

std::string Bytes(std::string_view hex) {
  std::string bytes;
  EXPECT_TRUE(
      absl::HexStringToBytes(absl::StrReplaceAll(hex, {{" ", ""}}), &bytes));
  EXPECT_THAT(RecordBatch::Parse(bytes, CrcCheck::kVerify), IsOk());
  return bytes;
}

absl::StatusOr<ProducerBatch> Read(std::string_view bytes) {
  return ProducerBatch::Read(RecordBatch(bytes));
}

// A batch of two records with these options.
std::string TwoRecords(const BatchOptions& options) {
  RecordBatchBuilder builder(options);
  EXPECT_THAT(builder.Append({.value = "a"}, 5), IsOk());
  EXPECT_THAT(builder.Append({.value = "b"}, 6), IsOk());
  return std::string(builder.Finish().bytes());
}

// A control batch of producer 4000, epoch 2, with one record.
std::string Control(std::string_view key, std::string_view value) {
  RecordBatchBuilder builder({.producer_id = 4000,
                              .producer_epoch = 2,
                              .transactional = Transactional::kYes,
                              .kind = BatchKind::kControl});
  EXPECT_THAT(builder.Append({.key = key, .value = value}, 5), IsOk());
  return std::string(builder.Finish().bytes());
}

TEST(ProducerBatchTest, BatchOfNoProducerIsNone) {
  const auto batch = Read(TwoRecords({}));
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->kind, Kind::kNone);
  EXPECT_EQ(ProducerBatch().kind, Kind::kNone);
}

TEST(ProducerBatchTest, DataHasTheFieldsOfItsHeader) {
  for (const auto transactional : {Transactional::kNo, Transactional::kYes}) {
    const auto batch = Read(TwoRecords({.producer_id = 4000,
                                        .producer_epoch = 2,
                                        .base_sequence = 17,
                                        .transactional = transactional}));
    ASSERT_THAT(batch, IsOk());
    EXPECT_EQ(batch->kind, transactional == Transactional::kYes
                               ? Kind::kTransactional
                               : Kind::kData);
    EXPECT_TRUE(batch->is_data());
    EXPECT_FALSE(batch->is_marker());
    EXPECT_EQ(batch->producer_id, 4000);
    EXPECT_EQ(batch->producer_epoch, 2);
    EXPECT_EQ(batch->base_sequence, 17);
    EXPECT_EQ(batch->last_offset_delta, 1);
  }
}

TEST(ProducerBatchTest, EmptiedDataIsReadForItsSequence) {
  const auto batch = Read(Bytes(kEmptied));
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->kind, Kind::kData);
  EXPECT_EQ(batch->base_sequence, 0);
  EXPECT_EQ(batch->last_offset_delta, 1);
}

TEST(ProducerBatchTest, KafkasCommitMarkerIsRead) {
  const auto batch = Read(Bytes(kCommit));
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->kind, Kind::kCommit);
  EXPECT_TRUE(batch->is_marker());
  EXPECT_FALSE(batch->is_data());
  EXPECT_EQ(batch->producer_id, 4000);
  EXPECT_EQ(batch->producer_epoch, 0);
  EXPECT_EQ(batch->coordinator_epoch, 7);
}

TEST(ProducerBatchTest, AbortMarkerIsRead) {
  const auto batch =
      Read(Control(ControlRecordKey(ControlRecordType::kAbort).bytes(),
                   EndTransactionValue(9).bytes()));
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->kind, Kind::kAbort);
  EXPECT_EQ(batch->producer_epoch, 2);
  EXPECT_EQ(batch->coordinator_epoch, 9);
}

TEST(ProducerBatchTest, EmptiedMarkerIsNone) {
  const std::string marker =
      Control(ControlRecordKey(ControlRecordType::kAbort).bytes(),
              EndTransactionValue(9).bytes());
  const auto batch = Read(WithRecords(RecordBatch(marker), "", 0));
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->kind, Kind::kNone);
}

TEST(ProducerBatchTest, ControlBatchThatEndsNoTransactionIsNone) {
  const auto batch =
      Read(Control(ControlRecordKey(ControlRecordType::kLeaderChange).bytes(),
                   "what a leader says"));
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->kind, Kind::kNone);
}

TEST(ProducerBatchTest, MarkerThatCannotBeReadIsDataLoss) {
  const std::string key(ControlRecordKey(ControlRecordType::kCommit).bytes());
  EXPECT_THAT(Read(Control(key, "\0")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("value")));
  EXPECT_THAT(Read(Control("\0", EndTransactionValue(9).bytes())),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("key")));
  const std::string marker = Control(key, EndTransactionValue(9).bytes());
  EXPECT_THAT(Read(WithRecords(RecordBatch(marker), "\x7f", 1)),
              StatusIs(absl::StatusCode::kDataLoss));
}

struct Fields {
  int16_t attributes;
  int64_t producer_id;
  int16_t producer_epoch;
};

TEST(ProducerBatchTest, FieldsThatContradictEachOtherAreInvalid) {
  for (const auto& [attributes, id, epoch] : {
           Fields{batch_attributes::kTransactional, -1, -1},
           {batch_attributes::kTransactional | batch_attributes::kControl, -1,
            -1},
           {0, -2, 0},
           {0, 4000, -1},
           {batch_attributes::kControl, 4000, -1},
       }) {
    std::string bytes = TwoRecords({});
    StoreBig16(bytes.data() + batch_layout::kAttributes, attributes);
    StoreBig64(bytes.data() + batch_layout::kProducerId, id);
    StoreBig16(bytes.data() + batch_layout::kProducerEpoch, epoch);
    const auto batch = Read(WithCrc(bytes));
    ASSERT_THAT(batch, IsOk());
    EXPECT_EQ(batch->kind, Kind::kInvalid)
        << attributes << " " << id << " " << epoch;
  }
}

// A leader's control batch, as in Kafka's metadata log.
TEST(ProducerBatchTest, ControlBatchOfNoProducerIsNone) {
  std::string bytes = TwoRecords({});
  StoreBig16(bytes.data() + batch_layout::kAttributes,
             batch_attributes::kControl);
  const auto batch = Read(WithCrc(bytes));
  ASSERT_THAT(batch, IsOk());
  EXPECT_EQ(batch->kind, Kind::kNone);
}

}  // namespace
}  // namespace varve
