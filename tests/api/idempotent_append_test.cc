// SPDX-License-Identifier: Apache-2.0

// Appends that a producer repeats: they are in the log once.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/producer_client.h"
#include "tests/fixture/producer_store_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/producer/producer_position.h"
#include "varve/log/producer/producer_refusal.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Optional;

using Code = absl::StatusCode;

class IdempotentAppendTest : public ProducerStoreFixture {
 protected:
  using ProducerStoreFixture::Append;
  absl::StatusOr<AppendResult> Append(
      int32_t base_sequence, int records = 1,
      Durability durability = Durability::kMemory) {
    return Append(client_.Batch(base_sequence, records), durability);
  }
  int64_t Count() { return static_cast<int64_t>(ReadAll(Orders())->size()); }
  // Every check is due when some milliseconds have passed.
  void RunRetention() {
    absl::SleepFor(absl::Milliseconds(10));
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  }
  int64_t SnapshotCount() const { return FileCount(".snapshot"); }

  ProducerClient client_;
};

TEST_F(IdempotentAppendTest, RepeatedBatchIsAppendedOnce) {
  ASSERT_THAT(Append(0, 3), IsOk());
  const auto first = Append(3, 2);
  const auto again = Append(3, 2);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->offset, 3);
  EXPECT_EQ(again->next_offset, 5);
  EXPECT_EQ(again->timestamp, first->timestamp);
  EXPECT_TRUE(again->is_duplicate);
  EXPECT_FALSE(first->is_duplicate);
  EXPECT_EQ(Count(), 5);
  EXPECT_EQ(Append(5)->offset, 5);
}

TEST_F(IdempotentAppendTest, LastFiveAreRememberedAndTheSixthIsToldApart) {
  for (int i = 0; i < 6; ++i) ASSERT_THAT(Append(i), IsOk());
  for (int i = 1; i < 6; ++i) EXPECT_EQ(Append(i)->offset, i);
  const absl::Status sixth = Append(0).status();
  EXPECT_THAT(sixth, StatusIs(Code::kAlreadyExists, HasSubstr("sequence 6")));
  EXPECT_THAT(ProducerRefusalOf(sixth),
              Optional(ProducerRefusal::kOldSequence));
  EXPECT_EQ(Count(), 6);
}

TEST_F(IdempotentAppendTest, GapIsRefusedAndNothingIsAppended) {
  ASSERT_THAT(Append(0), IsOk());
  const absl::Status gap = Append(2).status();
  EXPECT_THAT(gap,
              StatusIs(Code::kOutOfRange, HasSubstr("expected sequence 1")));
  EXPECT_THAT(ProducerRefusalOf(gap), Optional(ProducerRefusal::kSequenceGap));
  EXPECT_EQ(Count(), 1);
  EXPECT_THAT(Append(1), IsOk());
}

TEST_F(IdempotentAppendTest, OldEpochIsFenced) {
  client_.epoch = 1;
  ASSERT_THAT(Append(0), IsOk());
  client_.epoch = 0;
  const absl::Status fenced = Append(1).status();
  EXPECT_THAT(fenced, StatusIs(Code::kFailedPrecondition,
                               HasSubstr("expected epoch 1")));
  EXPECT_THAT(ProducerRefusalOf(fenced), Optional(ProducerRefusal::kOldEpoch));
}

TEST_F(IdempotentAppendTest, UnknownProducerBeginsWithAnySequence) {
  EXPECT_EQ(Append(77)->offset, 0);
  EXPECT_THAT(Append(77)->is_duplicate, true);
}

TEST_F(IdempotentAppendTest, RefusedBatchPoisonsNothing) {
  ASSERT_THAT(Append(0, 1, Durability::kSynced), IsOk());
  EXPECT_THAT(Append(9, 1, Durability::kSynced), StatusIs(Code::kOutOfRange));
  EXPECT_THAT(Append(1, 1, Durability::kSynced), IsOk());
  EXPECT_THAT(Orders().Append({.value = "plain"}), IsOk());
}

TEST_F(IdempotentAppendTest, FiveAreKnownAgainAfterACleanClose) {
  for (int i = 0; i < 7; ++i) ASSERT_THAT(Append(i), IsOk());
  Reopen();
  EXPECT_EQ(SnapshotCount(), 1);
  for (int i = 2; i < 7; ++i) {
    const auto again = Append(i);
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->offset, i);
    EXPECT_TRUE(again->is_duplicate);
  }
  EXPECT_THAT(Append(8), StatusIs(Code::kOutOfRange));
  EXPECT_EQ(Append(7)->offset, 7);
}

TEST_F(IdempotentAppendTest, FiveAreKnownAgainAfterACrash) {
  for (int i = 0; i < 7; ++i) ASSERT_THAT(Append(2 * i, 2), IsOk());
  EXPECT_EQ(SnapshotCount(), 0);
  Crash();
  for (int i = 2; i < 7; ++i) {
    const auto again = Append(2 * i, 2);
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->offset, 2 * i);
    EXPECT_TRUE(again->is_duplicate);
  }
  EXPECT_EQ(Append(14)->offset, 14);
}

TEST_F(IdempotentAppendTest, DuplicateIsAsDurableAsAskedFor) {
  ASSERT_THAT(Append(0), IsOk());
  EXPECT_EQ(Orders().durable_end(), 0);
  EXPECT_TRUE(Append(0, 1, Durability::kSynced)->is_duplicate);
  EXPECT_EQ(Orders().durable_end(), 1);
}

TEST_F(IdempotentAppendTest, DuplicateOfAppendAsyncIsCalledBackWithItsPlace) {
  ASSERT_THAT(Append(0, 2, Durability::kSynced), IsOk());
  absl::Notification called;
  absl::StatusOr<AppendResult> durable;
  RecordBatchBuilder batch = client_.Batch(0, 2);
  const auto where = Orders().AppendAsync(
      batch.Finish(), [&](absl::StatusOr<AppendResult> result) {
        durable = std::move(result);
        called.Notify();
      });
  ASSERT_THAT(where, IsOk());
  EXPECT_TRUE(where->is_duplicate);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  ASSERT_TRUE(called.HasBeenNotified());
  ASSERT_THAT(durable, IsOk());
  EXPECT_EQ(durable->offset, 0);
  EXPECT_EQ(durable->next_offset, 2);
}

TEST_F(IdempotentAppendTest, ProducerIsKnownOverSegmentsThatWereTrimmed) {
  CreateInSegmentsOf(1024);
  ASSERT_THAT(Append(0, 3), IsOk());
  for (int i = 0; i < 100; ++i)
    ASSERT_THAT(Orders().Append({.value = "of no producer"}), IsOk());
  EXPECT_GT(SnapshotCount(), 3);
  ASSERT_THAT(Orders().TrimBefore(Orders().visible_end() - 1), IsOk());
  EXPECT_LE(SnapshotCount(), 2);
  Reopen();
  EXPECT_TRUE(Append(0, 3)->is_duplicate);
  Crash();
  EXPECT_TRUE(Append(0, 3)->is_duplicate);
}

// Recovery writes the snapshots that were due before the crash.
TEST_F(IdempotentAppendTest, ProducerIsKnownOverSegmentsAfterSeveralCrashes) {
  CreateInSegmentsOf(1024);
  ASSERT_THAT(Append(0, 3), IsOk());
  for (int crash = 0; crash < 4; ++crash) {
    for (int i = 0; i < 15 * (crash % 2); ++i) {
      ASSERT_THAT(
          Orders().Append({.value = std::string(50, 'p')}, Durability::kMemory),
          IsOk());
    }
    if (crash == 2) {
      ASSERT_THAT(Orders().Sync(), IsOk());
    }
    Crash();
    EXPECT_TRUE(Append(0, 3)->is_duplicate) << crash;
    EXPECT_THAT(Append(9), StatusIs(Code::kOutOfRange)) << crash;
  }
  Reopen();
  EXPECT_TRUE(Append(0, 3)->is_duplicate);
}

TEST_F(IdempotentAppendTest, LogWithoutProducersHasNoSnapshot) {
  CreateInSegmentsOf(1024);
  for (int i = 0; i < 50; ++i)
    ASSERT_THAT(Orders().Append({.value = "of no producer"}), IsOk());
  Reopen();
  EXPECT_EQ(SnapshotCount(), 0);
}

TEST_F(IdempotentAppendTest, DamagedSnapshotIsReplacedByTheBatches) {
  for (int i = 0; i < 4; ++i) ASSERT_THAT(Append(i), IsOk());
  Close();
  std::filesystem::resize_file(
      path_ + "/orders-0/00000000000000000004.snapshot", 20);
  Open();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Append(i)->offset, i);
  EXPECT_EQ(Append(4)->offset, 4);
}

TEST_F(IdempotentAppendTest, ProducersPositionIsToldAfterAReopen) {
  ASSERT_THAT(Append(0, 3), IsOk());
  Reopen();
  EXPECT_THAT(Orders().FindProducer(client_.id),
              IsOkAndHolds(Optional(ProducerPosition{.producer_id = client_.id,
                                                     .epoch = 0,
                                                     .last_sequence = 2,
                                                     .last_offset = 2,
                                                     .next_sequence = 3})));
  EXPECT_THAT(Orders().FindProducer(1), IsOkAndHolds(std::nullopt));
}

TEST_F(IdempotentAppendTest, ProducerOfBackDatedRecordsDoesNotExpire) {
  check_interval_ = absl::Milliseconds(1);
  expiration_ = absl::Hours(1);  // the records are of 2023
  Reopen();
  ASSERT_THAT(Append(0, 3), IsOk());
  RunRetention();
  RunRetention();
  EXPECT_TRUE(Append(0, 3)->is_duplicate);
}

TEST_F(IdempotentAppendTest, ExpiredProducerIsForgotten) {
  check_interval_ = absl::Milliseconds(1);
  expiration_ = absl::Milliseconds(1);
  Reopen();
  ASSERT_THAT(Append(0, 3), IsOk());
  RunRetention();
  EXPECT_TRUE(Append(0, 3)->is_duplicate);
  RunRetention();
  EXPECT_THAT(Orders().FindProducer(client_.id), IsOkAndHolds(std::nullopt));
}

TEST_F(IdempotentAppendTest, StampedBatchKeepsItsFirstTimeAsADuplicate) {
  TopicConfig config;
  config.log.message_timestamp_type = TimestampType::kLogAppendTime;
  Create(config);
  const auto first = Append(0);
  EXPECT_EQ(Append(0)->timestamp, first->timestamp);
}

TEST_F(IdempotentAppendTest, ReencodedBatchIsFoundAgain) {
  TopicConfig config;
  config.log.compression_type = CompressionType::kUncompressed;
  Create(config);
  ASSERT_THAT(Append(0, 3), IsOk());
  EXPECT_TRUE(Append(0, 3)->is_duplicate);
  EXPECT_EQ(Count(), 3);
}

TEST_F(IdempotentAppendTest, MarkerThatCannotBeReadIsRefused) {
  RecordBatchBuilder builder({.producer_id = 1,
                              .producer_epoch = 0,
                              .transactional = Transactional::kYes,
                              .kind = BatchKind::kControl});
  ASSERT_THAT(builder.Append({.key = "x", .value = "y"}, absl::Now()), IsOk());
  EXPECT_THAT(Orders().Append(builder.Finish()),
              StatusIs(Code::kInvalidArgument, HasSubstr("no marker")));
}

}  // namespace
}  // namespace varve
