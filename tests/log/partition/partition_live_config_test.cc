// SPDX-License-Identifier: Apache-2.0

// Changes of a live log: of its config, and of the files that it holds open.

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

class PartitionLiveConfigTest : public PartitionFixture {
 protected:
  void Set() { ASSERT_THAT(log_->SetConfig(config_), IsOk()); }
  static int64_t OpenDescriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  }
};

TEST_F(PartitionLiveConfigTest, SmallerSegmentBytesRollsAtTheNextAppend) {
  Recover();
  AppendMany(20);
  config_.segment_bytes = 10 * BatchSize();
  Set();
  AppendMany(1);
  EXPECT_EQ(log_->segment_count(), 2);
  AppendMany(10);
  EXPECT_EQ(log_->segment_count(), 3);
  EXPECT_EQ(ReadAll(), Values(0, 31));
}

TEST_F(PartitionLiveConfigTest, LargerSegmentBytesTakesEffectAtTheNextSegment) {
  config_.segment_bytes = 4096;
  Recover();
  AppendMany(1);
  config_.segment_bytes = 1 << 20;
  Set();
  const std::string large(100'000, 'x');
  EXPECT_EQ(Append(large), 1);
  EXPECT_EQ(log_->segment_count(), 2);
  EXPECT_EQ(ReadAll().at(1), large);
}

TEST_F(PartitionLiveConfigTest, EmptyActiveSegmentGetsItsNewRoom) {
  config_.segment_bytes = 4096;
  Recover();
  AppendMany(1);
  ASSERT_THAT(log_->Roll(), IsOk());
  config_.segment_bytes = 1 << 20;
  Set();
  const std::string large(100'000, 'x');
  EXPECT_EQ(Append(large), 1);
  EXPECT_EQ(log_->segment_count(), 2);
  CloseCleanly();
  OpenClean();
  EXPECT_EQ(ReadAll().at(1), large);
}

TEST_F(PartitionLiveConfigTest, MaxMessageBytesHoldsAtOnce) {
  Recover();
  AppendMany(1);
  config_.max_message_bytes = 100;
  Set();
  EXPECT_THAT(TryAppend(std::string(200, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("max.message.bytes")));
}

TEST_F(PartitionLiveConfigTest, FlushMsMakesAMemoryAppendDue) {
  Recover();
  AppendMany(1);
  EXPECT_EQ(log_->SyncDue(), absl::InfiniteFuture());
  config_.flush_ms = 100;
  Set();
  AppendMany(1);
  EXPECT_LE(log_->SyncDue(), clock_.Steady() + absl::Milliseconds(50));
}

TEST_F(PartitionLiveConfigTest, ClosedLogTakesNoConfig) {
  Recover();
  ASSERT_THAT(log_->Close(), IsOk());
  EXPECT_THAT(log_->SetConfig(config_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(PartitionLiveConfigTest,
       ParkedLogHoldsNoDescriptorAndGoesOnWhenTouched) {
  Recover();
  const int64_t before = OpenDescriptors();
  AppendMany(5);
  EXPECT_GT(OpenDescriptors(), before);
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_EQ(log_->durable_end(), 5);
  EXPECT_EQ(std::filesystem::file_size(LogPath(0)), 5 * BatchSize());
  EXPECT_EQ(ReadAll(), Values(0, 5));
  AppendMany(5);
  EXPECT_EQ(ReadAll(), Values(0, 10));
  EXPECT_EQ(log_->segment_count(), 1);
  ASSERT_THAT(log_->Park(), IsOk());
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_EQ(ReadAll(), Values(0, 10));
  CloseCleanly();
  OpenClean();
  EXPECT_EQ(ReadAll(), Values(0, 10));
}

TEST_F(PartitionLiveConfigTest, ParkKeepsTheEpoch) {
  Recover();
  AppendMany(2);
  const auto epochs = EpochsOnDisk();
  ASSERT_THAT(log_->Park(), IsOk());
  AppendMany(2);
  EXPECT_EQ(EpochsOnDisk(), epochs);
}

TEST_F(PartitionLiveConfigTest, ParkThatCannotSyncPoisons) {
  Recover();
  AppendMany(2);
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(log_->Park(), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_THAT(TryAppend("x"), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(ReadAll(), Values(0, 2));
}

TEST_F(PartitionLiveConfigTest, ViewOutlivesParking) {
  Recover();
  AppendMany(2);
  const auto view = log_->Read(0, {.level = ReadLevel::kVisible});
  ASSERT_THAT(view, IsOk());
  ASSERT_THAT(log_->Park(), IsOk());
  RecordBatches::Records records = view->records();
  EXPECT_EQ(records.Next()->value(), Value(0));
}

}  // namespace
}  // namespace varve
