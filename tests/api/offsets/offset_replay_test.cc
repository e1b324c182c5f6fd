// SPDX-License-Identifier: Apache-2.0

// Logs of __consumer_offsets that others wrote, or that are damaged.

#include "varve/api/offsets/offset_replay.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/consumer_offsets_append.h"
#include "tests/fixture/fake_codec.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/next_readable_offset.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kNowMs = 1700000000000;
constexpr int64_t kProducer = 4000;

// A store with ten records in "orders" and an offset of group "g" committed: 1.
// Tests append the raw records that follow in that partition of
// __consumer_offsets.
class OffsetReplayTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
    topic_id_ = store_->DescribeTopic("orders")->id;
    auto orders = store_->partition("orders", 0);
    for (int i = 0; i < 10; ++i) {
      ASSERT_THAT(orders->Append({.value = "v"}, Durability::kMemory), IsOk());
    }
    ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 1), IsOk());
  }

  static std::string Key(std::string_view group = "g") {
    return FormatOffsetCommitKey({.group = group, .topic = "orders"});
  }
  std::string Value(int64_t offset) const {
    return FormatOffsetCommitValue({.offset = offset,
                                    .commit_timestamp_ms = kNowMs,
                                    .topic_id = topic_id_});
  }

  void Append(const Record& record, const BatchOptions& options = {}) {
    RecordBatchBuilder builder(options);
    ASSERT_THAT(builder.Append(record, kNowMs), IsOk());
    AppendBatch(builder.Finish());
  }
  void AppendBatch(const EncodedBatch& batch) {
    store_ = nullptr;
    ASSERT_THAT(AppendToConsumerOffsets(path_, "g", batch), IsOk());
    Open();
  }
  void AppendInTransaction(int64_t offset, int64_t producer = kProducer) {
    Append({.key = Key(), .value = Value(offset)},
           {.producer_id = producer,
            .producer_epoch = 0,
            .base_sequence = 0,
            .transactional = Transactional::kYes});
  }
  void EndTransaction(ControlRecordType type, int64_t producer = kProducer) {
    const ControlRecordKey key(type);
    const EndTransactionValue value(1);
    Append({.key = key.bytes(), .value = value.bytes()},
           {.producer_id = producer,
            .producer_epoch = 0,
            .transactional = Transactional::kYes,
            .kind = BatchKind::kControl});
  }

  // The offset that the next open reads from the log.
  int64_t ReplayedOffset() {
    Reopen();
    auto found = store_->CommittedOffset("g", "orders", 0);
    EXPECT_THAT(found, IsOk());
    return found.ok() ? found->offset : -1;
  }
  std::vector<std::string> Notes() { return store_->recovery_report().notes; }

  StoreOptions Options() override { return {.codecs = codecs_}; }

  FakeCodecs fakes_;
  const Codecs* codecs_ = nullptr;  // of the next open
  TopicId topic_id_;
};

// Kafka's brokers know the store's topics by the ids of their directories.
TEST_F(OffsetReplayTest, ValueOfKafka41IsRead) {
  std::string value(
      "\0\4\0\0\0\0\0\0\0\7\0\0\0\0\3hi\0\0\1\x8b\xcf\xe5\x68\x14\1\0\20", 28);
  value += Value(0).substr(Value(0).size() - 16);
  Append({.key = Key(), .value = value});
  EXPECT_EQ(ReplayedOffset(), 7);
  EXPECT_EQ(store_->CommittedOffset("g", "orders", 0)->metadata, "hi");
  EXPECT_THAT(Notes(), IsEmpty());
}

TEST_F(OffsetReplayTest, ValueOfAnotherTopicsIdDoesNotCountAndIsReported) {
  topic_id_ = TopicId(1, 2);
  Append({.key = Key(), .value = Value(5)});
  Reopen();
  EXPECT_THAT(store_->CommittedOffset("g", "orders", 0),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Notes(),
              ElementsAre(AllOf(HasSubstr("group \"g\", orders, partition 0"),
                                HasSubstr("another topic"),
                                HasSubstr(topic_id_.ToText()))));
}

TEST_F(OffsetReplayTest, RecordsOfOtherTypesArePassedOver) {
  Append({.key = std::string_view("\0\2\0\1g", 5), .value = "group metadata"});
  Append({.key = std::string_view("\0\21\0\1g", 5), .value = "streams group"});
  EXPECT_EQ(ReplayedOffset(), 1);
  EXPECT_THAT(Notes(), IsEmpty());
  EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
}

TEST_F(OffsetReplayTest, LaterVersionIsReportedAndNotTakenForNoOffset) {
  std::string value = Value(5);
  value[1] = 9;
  Append({.key = Key(), .value = value});
  Reopen();
  EXPECT_THAT(store_->CommittedOffset("g", "orders", 0),
              StatusIs(absl::StatusCode::kUnimplemented,
                       AllOf(HasSubstr("\"g\""), HasSubstr("version 9"))));
  EXPECT_THAT(Notes(), ElementsAre(AllOf(HasSubstr("__consumer_offsets-"),
                                         HasSubstr("offset 1:"),
                                         HasSubstr("version 9"))));
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 6), IsOk());
  EXPECT_EQ(ReplayedOffset(), 6);
}

TEST_F(OffsetReplayTest, WhatIsNoCommitIsReportedAndLeavesTheOthersAlone) {
  Append({.key = std::string_view("\0\1\0\x63g", 5), .value = Value(5)});
  Append({.value = Value(6)});
  Append({.key = "", .value = Value(7)});
  Append({.key = Key("h"), .value = "??"});
  EXPECT_EQ(ReplayedOffset(), 1);
  EXPECT_THAT(Notes(),
              ElementsAre(HasSubstr("offset 1: an offset commit's key"),
                          HasSubstr("offset 2: a record without a key"),
                          HasSubstr("offset 3: an offset commit's key"),
                          HasSubstr("offset 4: an offset commit's value")));
  EXPECT_THAT(store_->CommittedOffset("g", "orders", 0), IsOk());
}

TEST_F(OffsetReplayTest, CommitInATransactionCountsOnceItIsCommitted) {
  AppendInTransaction(4);
  EXPECT_EQ(ReplayedOffset(), 1);
  EndTransaction(ControlRecordType::kCommit);
  EXPECT_EQ(ReplayedOffset(), 4);
}

TEST_F(OffsetReplayTest, CommitInAnAbortedTransactionNeverCounts) {
  AppendInTransaction(4);
  AppendInTransaction(5, kProducer + 1);
  EndTransaction(ControlRecordType::kAbort);
  EXPECT_EQ(ReplayedOffset(), 1);
  EndTransaction(ControlRecordType::kCommit);  // of nothing
  EXPECT_EQ(ReplayedOffset(), 1);
  EndTransaction(ControlRecordType::kLeaderChange, kProducer + 1);
  EXPECT_EQ(ReplayedOffset(), 1);
  EndTransaction(ControlRecordType::kCommit, kProducer + 1);
  EXPECT_EQ(ReplayedOffset(), 5);
}

TEST_F(OffsetReplayTest, TransactionIsAppliedWhereItEnds) {
  AppendInTransaction(4);
  Append({.key = Key(), .value = Value(8)});
  EndTransaction(ControlRecordType::kCommit);
  EXPECT_EQ(ReplayedOffset(), 4);
}

TEST_F(OffsetReplayTest, DamagedCommitIsReportedAndTheOneBeforeCounts) {
  for (int64_t offset : {2, 3, 4}) {
    ASSERT_THAT(store_->CommitOffset("g", "orders", 0, offset), IsOk());
  }
  ASSERT_THAT(store_->CommitOffset("test", "orders", 0, 9), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  const std::string log =
      path_ + "/__consumer_offsets-0/00000000000000000000.log";
  const std::string bytes = ReadBytes(log);
  // Five batches, of which the last has a longer id.
  const size_t size = (bytes.size() - 3) / 5;
  // The third batch; the fourth says 4 all the same.
  WriteBytes(log, WithBitFlipped(bytes, (2 * size + 70) * 8));
  Open();
  auto found = store_->CommittedOffset("g", "orders", 0);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->offset, 4);
  EXPECT_EQ(store_->CommittedOffset("test", "orders", 0)->offset, 9);
  EXPECT_THAT(
      Notes(),
      ElementsAre(AllOf(HasSubstr("offset 2: commits up to offset 2 are lost"),
                        HasSubstr("position"))));
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 5), IsOk());
  EXPECT_EQ(ReplayedOffset(), 5);
}

// Damage of a million offsets is no reason to ask for each of them.
TEST(OffsetReplayRunTest, DamageIsPassedOverInOneStep) {
  OffsetTable table;
  std::vector<std::string> notes;
  OffsetReplay replay("p-0", &table, nullptr, [&](std::string note) {
    notes.push_back(std::move(note));
  });
  std::vector<int64_t> asked;
  const auto read = [&](int64_t offset,
                        const ReadOptions&) -> absl::StatusOr<RecordBatches> {
    asked.push_back(offset);
    if (offset == 1'000'000) return RecordBatches(offset);
    absl::Status damage = absl::DataLossError("a bad batch");
    SetNextReadableOffset(1'000'000, damage);
    return damage;
  };
  EXPECT_THAT(replay.Run({.begin = 5, .end = 1'000'001}, read), IsOk());
  EXPECT_THAT(asked, ElementsAre(5, 1'000'000));
  EXPECT_EQ(replay.next_offset(), 1'000'000);
  EXPECT_THAT(notes, ElementsAre("p-0: offset 5: commits up to offset 999999 "
                                 "are lost, and those before them count: a bad "
                                 "batch"));
}

TEST(OffsetReplayRunTest, DamageWithoutAnEndIsTheRunsError) {
  OffsetTable table;
  OffsetReplay replay("p-0", &table, nullptr,
                      [](const std::string& note) { ADD_FAILURE() << note; });
  int64_t asked = 0;
  const auto read = [&](int64_t,
                        const ReadOptions&) -> absl::StatusOr<RecordBatches> {
    ++asked;
    return absl::DataLossError("varve.topics is damaged");
  };
  EXPECT_THAT(replay.Run({.begin = 5, .end = 10}, read),
              StatusIs(absl::StatusCode::kDataLoss, "varve.topics is damaged"));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(replay.next_offset(), 5);
}

TEST_F(OffsetReplayTest, CompressedBatchesAreReadWithTheirCodecs) {
  codecs_ = &fakes_.all;
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.key = Key(), .value = Value(4)}, kNowMs),
              IsOk());
  ASSERT_THAT(builder.Append({.key = Key(), .value = Value(5)}, kNowMs),
              IsOk());
  AppendBatch(*builder.FinishCompressed(fakes_.zstd));
  EXPECT_EQ(ReplayedOffset(), 5);
  EXPECT_THAT(Notes(), IsEmpty());
}

TEST_F(OffsetReplayTest, CompressedCommitsOfATransactionWaitForItsEnd) {
  codecs_ = &fakes_.all;
  RecordBatchBuilder builder({.producer_id = kProducer,
                              .producer_epoch = 0,
                              .base_sequence = 0,
                              .transactional = Transactional::kYes});
  ASSERT_THAT(builder.Append({.key = Key(), .value = Value(6)}, kNowMs),
              IsOk());
  AppendBatch(*builder.FinishCompressed(fakes_.gzip));
  EXPECT_EQ(ReplayedOffset(), 1);
  EndTransaction(ControlRecordType::kCommit);
  EXPECT_EQ(ReplayedOffset(), 6);
}

TEST_F(OffsetReplayTest, DamagedStreamIsReportedAndThoseAfterItAreRead) {
  codecs_ = &fakes_.all;
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.key = Key(), .value = Value(4)}, kNowMs),
              IsOk());
  AppendBatch(*builder.FinishCompressed(Compression::kZstd, "no stream"));
  AppendBatch(*builder.FinishCompressed(fakes_.zstd));
  EXPECT_EQ(ReplayedOffset(), 4);
  EXPECT_THAT(Notes(), ElementsAre(HasSubstr("offset 1: record batch")));
}

TEST_F(OffsetReplayTest, CompressedBatchIsReported) {
  RecordBatchBuilder builder;
  ASSERT_THAT(builder.Append({.key = Key(), .value = Value(5)}, kNowMs),
              IsOk());
  auto batch = builder.FinishCompressed(Compression::kZstd, "not looked at");
  ASSERT_THAT(batch, IsOk());
  AppendBatch(*batch);
  EXPECT_EQ(ReplayedOffset(), 1);
  EXPECT_THAT(Notes(), ElementsAre(HasSubstr("zstd")));
}

}  // namespace
}  // namespace varve
