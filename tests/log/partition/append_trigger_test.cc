// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/append_trigger.h"

#include <poll.h>

#include <cerrno>
#include <memory>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_latch.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::Not;

class AppendTriggerTest : public PartitionFixture {
 protected:
  bool LatchIsSet() {
    const auto descriptor = latch_->Descriptor();
    EXPECT_THAT(descriptor, IsOk());
    pollfd polled = {.fd = *descriptor, .events = POLLIN, .revents = 0};
    return poll(&polled, 1, 0) == 1;
  }

  std::shared_ptr<AppendLatch> latch_ = std::make_shared<AppendLatch>();
  std::shared_ptr<AppendTrigger> visible_ = std::make_shared<AppendTrigger>(
      latch_, ReadLevel::kVisible, Isolation::kReadUncommitted);
  std::shared_ptr<AppendTrigger> durable_ = std::make_shared<AppendTrigger>(
      latch_, ReadLevel::kDurable, Isolation::kReadUncommitted);
};

TEST_F(AppendTriggerTest, SetsTheLatchOnceUntilItIsArmedAgain) {
  Recover();
  log_->Arm(visible_, 0);
  EXPECT_TRUE(visible_->is_armed());
  EXPECT_FALSE(LatchIsSet());
  AppendMany(1);
  EXPECT_FALSE(visible_->is_armed());
  EXPECT_TRUE(LatchIsSet());
  latch_->Clear();
  AppendMany(1);
  EXPECT_FALSE(LatchIsSet());
  log_->Arm(visible_, 2);
  AppendMany(1);
  EXPECT_TRUE(LatchIsSet());
}

TEST_F(AppendTriggerTest, WaitsForItsOffset) {
  Recover();
  log_->Arm(visible_, 2);
  AppendMany(2);
  EXPECT_TRUE(visible_->is_armed());
  EXPECT_FALSE(LatchIsSet());
  AppendMany(1);
  EXPECT_FALSE(visible_->is_armed());
  EXPECT_TRUE(LatchIsSet());
}

TEST_F(AppendTriggerTest, ArmedTwiceWaitsForTheLaterWord) {
  Recover();
  log_->Arm(visible_, 5);
  log_->Arm(visible_, 0);
  EXPECT_EQ(visible_->offset(), 0);
  AppendMany(1);
  EXPECT_FALSE(visible_->is_armed());
  EXPECT_TRUE(LatchIsSet());
}

TEST_F(AppendTriggerTest, WaitsForItsLevel) {
  Recover();
  log_->Arm(durable_, 0);
  AppendMany(1);
  EXPECT_TRUE(durable_->is_armed());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_FALSE(durable_->is_armed());
  EXPECT_TRUE(LatchIsSet());
}

TEST_F(AppendTriggerTest, DisarmedIsNotFired) {
  Recover();
  log_->Arm(visible_, 0);
  log_->Disarm(*visible_);
  EXPECT_FALSE(visible_->is_armed());
  AppendMany(1);
  EXPECT_FALSE(LatchIsSet());
}

TEST_F(AppendTriggerTest, CloseFiresIt) {
  Recover();
  log_->Arm(visible_, 100);
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_FALSE(visible_->is_armed());
  EXPECT_TRUE(LatchIsSet());
  EXPECT_TRUE(
      log_->HasNews(100, ReadLevel::kVisible, Isolation::kReadUncommitted));
}

TEST_F(AppendTriggerTest, DeletionFiresIt) {
  Recover();
  log_->Arm(visible_, 0);
  log_->Abandon();
  EXPECT_TRUE(LatchIsSet());
  EXPECT_TRUE(
      log_->HasNews(0, ReadLevel::kVisible, Isolation::kReadUncommitted));
}

TEST_F(AppendTriggerTest, FailedSyncDoesNotFireItBecauseNothingCanBeRead) {
  Recover();
  Append("v", Durability::kMemory);
  log_->Arm(durable_, 0);
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(log_->Sync(), Not(IsOk()));
  EXPECT_TRUE(durable_->is_armed());
  EXPECT_FALSE(
      log_->HasNews(0, ReadLevel::kDurable, Isolation::kReadUncommitted));
  ASSERT_THAT(log_->Close(), Not(IsOk()));
  EXPECT_TRUE(LatchIsSet());
}

TEST_F(AppendTriggerTest, NewsAreRecordsAndOffsetsOutOfRange) {
  Recover();
  EXPECT_FALSE(
      log_->HasNews(0, ReadLevel::kVisible, Isolation::kReadUncommitted));
  EXPECT_TRUE(
      log_->HasNews(1, ReadLevel::kVisible, Isolation::kReadUncommitted));
  AppendMany(2);
  EXPECT_TRUE(
      log_->HasNews(1, ReadLevel::kVisible, Isolation::kReadUncommitted));
  EXPECT_FALSE(
      log_->HasNews(2, ReadLevel::kVisible, Isolation::kReadUncommitted));
  EXPECT_FALSE(
      log_->HasNews(1, ReadLevel::kDurable, Isolation::kReadUncommitted));
  ASSERT_THAT(log_->TrimBefore(1), IsOk());
  EXPECT_TRUE(
      log_->HasNews(0, ReadLevel::kVisible, Isolation::kReadUncommitted));
}

}  // namespace
}  // namespace varve
