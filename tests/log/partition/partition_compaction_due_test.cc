// SPDX-License-Identifier: Apache-2.0

// Whether a partition is to be compacted, and may be.

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <ctime>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/compaction_fixture.h"
#include "varve/log/compaction/compaction_policy.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_compaction.h"

namespace varve {
namespace {

using absl_testing::IsOk;
using absl_testing::StatusIs;
using ::testing::HasSubstr;

class PartitionCompactionDueTest : public CompactionFixture {
 protected:
  // As if the active segment had been written last at this time.
  void SetModified(absl::Time time) {
    const std::string path =
        path_ + "/" + SegmentFileName(1, SegmentFileKind::kLog);
    const timespec at = absl::ToTimespec(time);
    const std::array<timespec, 2> both = {at, at};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), both.data(), 0), 0);
  }
};

TEST_F(PartitionCompactionDueTest, NothingIsDoneBelowTheDirtyRatio) {
  config_.min_cleanable_dirty_ratio = 0.5;
  Recover();
  Fill(10, 30);
  Compact();
  Put("k0", "new");
  RollAndSync();

  const CompactionReport report = Compact();

  EXPECT_FALSE(report.result.has_value());
  EXPECT_EQ(report.decision.due, CompactionDue::kNo);
  EXPECT_FALSE(report.decision.range.empty());
  EXPECT_TRUE(Compact({.when = CompactionRequest::When::kDirty}).result);
  EXPECT_FALSE(ReadRecords().contains(0));
}

TEST_F(PartitionCompactionDueTest, AnOldOrIdleActiveSegmentIsToBeSealed) {
  config_.segment_ms = 50'000;
  config_.max_compaction_lag_ms = 20'000;
  Recover();
  EXPECT_FALSE(log_->compaction().Look()->seals) << "nothing is in it";
  Put("k", "v");
  clock_.Advance(absl::Seconds(20));
  EXPECT_FALSE(log_->compaction().Look()->seals);
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(log_->compaction().Look()->seals);
  Roll();
  EXPECT_FALSE(log_->compaction().Look()->seals);

  config_.max_compaction_lag_ms = LogConfig::kForever;
  ASSERT_THAT(log_->SetConfig(config_), IsOk());
  Put("k", "v");
  EXPECT_FALSE(log_->compaction().Look()->seals);
  SetModified(clock_.Now());
  clock_.Advance(absl::Seconds(50));
  EXPECT_FALSE(log_->compaction().Look()->seals);
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(log_->compaction().Look()->seals);
}

TEST_F(PartitionCompactionDueTest, AnAppendSealsASegmentAtTheMaximumOfTheLag) {
  config_.max_compaction_lag_ms = 20'000;
  Recover();
  Put("k", "v");
  clock_.Advance(absl::Seconds(21));
  Put("k", "v");
  EXPECT_EQ(log_->segment_count(), 2);
}

TEST_F(PartitionCompactionDueTest, ATopicThatIsNotCompactedStaysAsItIs) {
  config_.cleanup_policy = CleanupPolicy::kDelete;
  Recover();
  Fill(10, 5);

  EXPECT_FALSE(Compact({.when = CompactionRequest::When::kDirty}).result);

  EXPECT_EQ(ReadRecords().size(), 31);
}

TEST_F(PartitionCompactionDueTest,
       ALogThatIsReadOnlySinceItsRecoveryStaysAsItIs) {
  Recover();
  Fill(10, 3);
  CloseCleanly();
  read_only_ = absl::ResourceExhaustedError("no room");
  OpenClean();
  EXPECT_THAT(TryCompact({.when = CompactionRequest::When::kDirty}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("read-only since its recovery")));
  EXPECT_EQ(ReadRecords().size(), 31);
}

}  // namespace
}  // namespace varve
