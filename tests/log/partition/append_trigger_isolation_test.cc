// SPDX-License-Identifier: Apache-2.0

// Triggers of readers of committed records: nothing that such a reader cannot
// read yet fires them, and all that it can does.

#include <memory>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/producer_client.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_latch.h"
#include "varve/log/partition/append_trigger.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

// The parameter is the level. What is appended is visible at once, and durable
// after a `Sync`.
class AppendTriggerIsolationTest
    : public PartitionFixture,
      public testing::WithParamInterface<ReadLevel> {
 protected:
  void SetUp() override { Recover(); }

  void AppendBatch(RecordBatchBuilder batch) {
    ASSERT_THAT(log_->Append(batch.Finish(), Durability::kMemory), IsOk());
  }
  void Send(const ProducerClient& client, int32_t sequence = 0) {
    AppendBatch(client.Batch(sequence));
  }
  void Commit(const ProducerClient& client) {
    AppendBatch(client.Marker(ControlRecordType::kCommit));
  }
  void Abort(const ProducerClient& client) {
    AppendBatch(client.Marker(ControlRecordType::kAbort));
  }
  void Sync() { ASSERT_THAT(log_->Sync(), IsOk()); }
  // What a reader of the level waits for after an append.
  void SyncIfDurable() {
    if (GetParam() == ReadLevel::kDurable) Sync();
  }

  bool HasNews(int64_t offset) {
    return log_->HasNews(offset, GetParam(), Isolation::kReadCommitted);
  }
  // Whether the latch was set with the trigger, which sets it alone.
  bool HasFired() const { return !trigger_->is_armed(); }

  const ProducerClient one_ = {.id = 1, .transactional = Transactional::kYes};
  const ProducerClient two_ = {.id = 2, .transactional = Transactional::kYes};
  std::shared_ptr<AppendTrigger> trigger_ = std::make_shared<AppendTrigger>(
      std::make_shared<AppendLatch>(), GetParam(), Isolation::kReadCommitted);
};

INSTANTIATE_TEST_SUITE_P(Level, AppendTriggerIsolationTest,
                         testing::Values(ReadLevel::kVisible,
                                         ReadLevel::kDurable),
                         [](const auto& level) {
                           return level.param == ReadLevel::kVisible
                                      ? "Visible"
                                      : "Durable";
                         });

TEST_P(AppendTriggerIsolationTest, OpenTransactionDoesNotFireItTheMarkerDoes) {
  log_->Arm(trigger_, 0);
  for (int32_t i = 0; i < 5; ++i) {
    Send(one_, i);
    AppendMany(1);
    Sync();
    EXPECT_FALSE(HasFired());
    EXPECT_FALSE(HasNews(0));
  }
  Commit(one_);
  SyncIfDurable();
  EXPECT_TRUE(HasFired());
  EXPECT_TRUE(HasNews(0));
}

TEST_P(AppendTriggerIsolationTest, MarkerOfAnAbortedTransactionFiresIt) {
  Send(one_);
  Sync();
  log_->Arm(trigger_, 0);
  Abort(one_);
  SyncIfDurable();
  EXPECT_TRUE(HasFired());
  EXPECT_TRUE(HasNews(0));
}

TEST_P(AppendTriggerIsolationTest, WaitsUntilTheMarkerIsAsSafeAsItsLevelWants) {
  Send(one_);
  Sync();
  log_->Arm(trigger_, 0);
  Commit(one_);
  EXPECT_EQ(HasFired(), GetParam() == ReadLevel::kVisible);
  EXPECT_EQ(HasNews(0), GetParam() == ReadLevel::kVisible);
  Sync();
  EXPECT_TRUE(HasFired());
}

TEST_P(AppendTriggerIsolationTest, EarlierTransactionHoldsItBack) {
  Send(one_);
  Send(two_);
  Sync();
  log_->Arm(trigger_, 0);
  Commit(two_);
  Sync();
  EXPECT_FALSE(HasFired());
  Commit(one_);
  SyncIfDurable();
  EXPECT_TRUE(HasFired());
}

TEST_P(AppendTriggerIsolationTest, RecordsBeforeATransactionFireIt) {
  log_->Arm(trigger_, 0);
  AppendMany(1);
  SyncIfDurable();
  EXPECT_TRUE(HasFired());
  Send(one_);
  log_->Arm(trigger_, 1);
  Sync();
  EXPECT_FALSE(HasFired());
}

TEST_P(AppendTriggerIsolationTest, TrimIntoAnOpenTransactionFiresIt) {
  Send(one_);
  AppendMany(3);
  Sync();
  log_->Arm(trigger_, 0);
  ASSERT_THAT(log_->TrimBefore(2), IsOk());
  EXPECT_TRUE(HasFired());
  EXPECT_TRUE(HasNews(0));  // an offset out of range
}

TEST_P(AppendTriggerIsolationTest, TrimThatChangesNoEndDoesNotFireIt) {
  AppendMany(2);
  Send(one_);
  Sync();
  log_->Arm(trigger_, 2);
  ASSERT_THAT(log_->TrimBefore(1), IsOk());
  EXPECT_FALSE(HasFired());
  EXPECT_FALSE(HasNews(2));
}

TEST_P(AppendTriggerIsolationTest, CloseFiresItAlsoInATransaction) {
  Send(one_);
  log_->Arm(trigger_, 0);
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_TRUE(HasFired());
}

}  // namespace
}  // namespace varve
