// SPDX-License-Identifier: Apache-2.0

// retention.bytes is a limit: appends that outrun the background delete what is
// too much themselves, and wait for nothing that may never come.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/retention_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/partitions/limit_keeper.h"
#include "varve/api/store_metrics.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::Not;

class RetentionLimitTest : public RetentionFixture {
 protected:
  // Segments of two records, of which the fewest with 500 bytes are three.
  static constexpr int64_t kSegmentsInLimit = 3;

  RetentionLimitTest() {
    config_.log.retention_ms = -1;
    config_.log.retention_bytes = 500;
  }

  void AppendMany(int count) {
    for (int i = 0; i < count; ++i)
      AppendAt(clock_.Now(), 0, Durability::kMemory);
  }
  int64_t Waits() { return store_->Metrics().retention_wait_ns.count(); }
};

TEST_F(RetentionLimitTest, AppendsDeleteThemselvesWhatIsTwoSegmentsTooMuch) {
  OpenWithTopic();
  for (int i = 0; i < 100; ++i) {
    AppendMany(1);
    // Two more: one that the limit cuts through, and one that is left to the
    // background.
    ASSERT_LE(LogFiles(), kSegmentsInLimit + 2) << i;
  }
  EXPECT_EQ(Orders().visible_end(), 100);
  EXPECT_GT(Orders().log_start(), 80);
  EXPECT_GT(Waits(), 10);
  const auto stats = Orders().Stats();
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->writer->retention_waits, Waits());
}

TEST_F(RetentionLimitTest, NoAppendWaitsForOneSegmentTooMuch) {
  OpenWithTopic();
  for (int i = 0; i < 50; ++i) {
    AppendMany(2);
    // The background is called before its time, and is in time.
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    ASSERT_LE(LogFiles(), kSegmentsInLimit + 1) << i;
  }
  EXPECT_EQ(Waits(), 0);
  EXPECT_GT(Orders().log_start(), 80);
}

TEST_F(RetentionLimitTest, WithoutALimitNoAppendLooks) {
  config_.log.retention_bytes = -1;
  OpenWithTopic();
  AppendMany(100);
  EXPECT_EQ(Orders().log_start(), 0);
  EXPECT_EQ(Waits(), 0);
}

TEST_F(RetentionLimitTest, WhatIsDeletedWasDurableAndTheCheckpointKnows) {
  OpenWithTopic();
  AppendMany(40);
  EXPECT_GE(Orders().durable_end(), Orders().log_start());
  const int64_t log_start = Orders().log_start();
  ASSERT_GT(log_start, 0);
  // The files alone, as after a power loss that took what was not synced.
  const std::string copy = scratch_.path() + "/copy";
  std::filesystem::copy(path_, copy, std::filesystem::copy_options::recursive);
  auto copied = LogStore::Open(copy, {.background = Background::kNone});
  ASSERT_THAT(copied, IsOk());
  EXPECT_FALSE((*copied)->recovery_report().has_damage())
      << (*copied)->recovery_report().ToString();
  EXPECT_EQ((*copied)->partition("orders", 0)->log_start(), log_start);
}

TEST_F(RetentionLimitTest, DeletionThatFailsStopsNoAppendAndIsTriedAgainLater) {
  OpenWithTopic();
  files_.FailCallsNamed(
      "Directory::RemoveFile " + path_ + "/orders-0/00000000000000000000.log",
      EIO, FaultyFileSystem::Repeat::kForever);
  AppendMany(100);
  EXPECT_EQ(Orders().visible_end(), 100);
  EXPECT_GT(LogFiles(), 40);
  EXPECT_EQ(Waits(), 1) << "one in kRetryDelay of a clock that stands";
  clock_.Advance(LimitKeeper::kRetryDelay);
  AppendMany(10);
  EXPECT_EQ(Waits(), 2);
  files_.StopFailing();
  clock_.Advance(LimitKeeper::kRetryDelay);
  AppendMany(2);
  EXPECT_EQ(Waits(), 3);
  EXPECT_LE(LogFiles(), kSegmentsInLimit + 2);
}

TEST_F(RetentionLimitTest, NoFileGoesWithoutItsCheckpoint) {
  OpenWithTopic();
  files_.FailCallsNamed("Directory::Rename " + path_ + "/varve.checkpoint", EIO,
                        FaultyFileSystem::Repeat::kForever);
  AppendMany(100);
  EXPECT_EQ(LogFiles(), 50);
  files_.StopFailing();
  clock_.Advance(LimitKeeper::kRetryDelay);
  AppendMany(2);
  EXPECT_LE(LogFiles(), kSegmentsInLimit + 2);
}

TEST_F(RetentionLimitTest, ViewsThatPinWhatGoesAreNotWaitedFor) {
  OpenWithTopic();
  AppendMany(4);
  auto view = Orders().Read(0);
  ASSERT_THAT(view, IsOk());
  AppendMany(100);
  EXPECT_LE(LogFiles(), kSegmentsInLimit + 2);
  EXPECT_GT(store_->Metrics().holdings.pins.deleted_bytes, 0);
  RecordBatches::Records records = view->records();
  const RecordView* record = records.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->value(), "twenty bytes of text");
}

TEST_F(RetentionLimitTest, SyncThatFailsMeanwhilePoisonsAndTheAppendReturns) {
  OpenWithTopic();
  AppendMany(1);
  files_.FailCallsNamed("File::Sync " + path_ + "/orders-0", EIO,
                        FaultyFileSystem::Repeat::kForever);
  absl::Status status;
  int appended = 0;
  for (; appended < 100 && status.ok(); ++appended) {
    status = Orders()
                 .Append({.value = "twenty bytes of text"}, Durability::kMemory)
                 .status();
  }
  EXPECT_THAT(status, StatusIs(Not(absl::StatusCode::kOk)));
  EXPECT_LT(appended, 100);
  EXPECT_EQ(Orders().log_start(), 0) << "nothing goes that is not durable";
  files_.StopFailing();
}

TEST_F(RetentionLimitTest, CompactedTopicIsLeftAlone) {
  config_.log.cleanup_policy = CleanupPolicy::kCompact;
  OpenWithTopic();
  AppendMany(40);
  EXPECT_EQ(Orders().log_start(), 0);
  EXPECT_EQ(Waits(), 0);
}

TEST_F(RetentionLimitTest, ActiveSegmentStaysWhateverTheLimit) {
  config_.log.retention_bytes = 0;
  OpenWithTopic();
  AppendMany(41);
  EXPECT_LE(LogFiles(), 2 + 1);
  const auto last = Orders().Read(40);
  ASSERT_THAT(last, IsOk());
  EXPECT_FALSE(last->empty());
}

}  // namespace
}  // namespace varve
