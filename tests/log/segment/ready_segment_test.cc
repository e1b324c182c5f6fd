// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/ready_segment.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/set_aside.h"
#include "varve/log/recovery/tail_recovery.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int64_t kBudget = int64_t{64} << 20;

class ReadySegmentTest : public PartitionFixture {
 protected:
  ReadySegmentTest() { config_.segment_bytes = 256 << 10; }

  static std::string Large(int64_t offset) {
    return std::string(1000, static_cast<char>('a' + offset % 26));
  }
  // Appends until the active segment is at least `bytes` long.
  void AppendBytes(int64_t bytes) {
    for (int64_t done = 0; done < bytes; done += 1068) {
      const int64_t offset = log_->visible_end();
      ASSERT_EQ(Append(Large(offset)), offset);
    }
  }
  // Fills over half of a segment, so that the next one is made ready.
  void FillAndPrepare() {
    AppendBytes(config_.segment_bytes * 6 / 10);
    ASSERT_TRUE(log_->TakePreparationWanted());
    log_->PrepareAhead(kBudget);
    ASSERT_THAT(ReadyFiles(), SizeIs(3));
  }
  std::vector<std::string> ReadyFiles() const {
    return NamesIn(path_, "ready");
  }
  std::vector<std::string> Logs() const {
    std::vector<std::string> logs;
    for (const std::string& name : NamesIn(path_)) {
      if (name.ends_with(".log")) logs.push_back(name);
    }
    return logs;
  }
  void ExpectAllReadable() {
    const Contents contents = ReadAll();
    ASSERT_THAT(contents, SizeIs(log_->visible_end()));
    for (const auto& [offset, value] : contents) {
      ASSERT_EQ(value, Large(offset));
    }
  }
};

TEST_F(ReadySegmentTest, RollIntoAReadySegmentMakesNoSystemCall) {
  Recover();
  FillAndPrepare();
  files_.ForgetCalls();
  while (log_->segment_count() == 1) AppendBytes(1);
  for (const std::string& call : files_.calls()) {
    EXPECT_THAT(call, Not(HasSubstr(path_))) << "by the appender";
  }
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, SyncGivesTheFilesTheirNamesAndTrimsTheFullSegment) {
  Recover();
  FillAndPrepare();
  AppendBytes(config_.segment_bytes / 2);
  ASSERT_EQ(log_->segment_count(), 2);
  EXPECT_THAT(Logs(), SizeIs(1));
  EXPECT_EQ(log_->SyncDue(), absl::InfinitePast());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(Logs(), SizeIs(2));
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  EXPECT_LT(std::filesystem::file_size(LogPath(0)), config_.segment_bytes);
  CloseCleanly();
  OpenClean();
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, CrashBeforeTheRenameLosesNothing) {
  Recover();
  FillAndPrepare();
  AppendBytes(config_.segment_bytes / 2);
  const int64_t end = log_->visible_end();
  ASSERT_THAT(ReadyFiles(), SizeIs(3));
  Crash();
  Recover();
  EXPECT_EQ(log_->visible_end(), end);
  EXPECT_THAT(recovered_.report.findings, IsEmpty());
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  EXPECT_THAT(Logs(), SizeIs(2));
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, CrashAtEverySystemCallOfTheRollLosesNothing) {
  for (int64_t i = 0;; ++i) {
    SCOPED_TRACE(i);
    Recover();
    FillAndPrepare();
    AppendBytes(config_.segment_bytes / 2);
    const int64_t end = log_->visible_end();
    files_.ForgetCalls();
    files_.FailCall(i, EIO, FaultyFileSystem::Repeat::kForever);
    const bool failed = !log_->Sync().ok();
    files_.StopFailing();
    const int64_t calls = files_.call_count();
    Crash();
    Recover();
    ASSERT_EQ(log_->visible_end(), end);
    ASSERT_THAT(recovered_.report.findings, IsEmpty());
    ExpectAllReadable();
    Crash();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    if (!failed) {
      ASSERT_GT(i, 5);
      ASSERT_LE(calls, i);
      break;
    }
  }
}

TEST_F(ReadySegmentTest, UnusedReadySegmentIsRemovedAtCloseAndAfterACrash) {
  Recover();
  FillAndPrepare();
  Crash();
  Recover();
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  AppendBytes(config_.segment_bytes / 2);
  log_->PrepareAhead(kBudget);
  CloseCleanly();
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  OpenClean();
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, ParkedLogKeepsNoReadySegment) {
  Recover();
  FillAndPrepare();
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  AppendBytes(config_.segment_bytes);
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, GarbageInAReadyFileIsSetAsideAndReported) {
  Recover();
  AppendBytes(5000);
  Crash();
  const std::string garbage = std::string(100, '\7') + std::string(50, '\0');
  WriteBytes(path_ + "/ready-log", garbage);
  Recover();
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  ASSERT_THAT(recovered_.report.findings, SizeIs(1));
  const RecoveryFinding& finding = recovered_.report.findings[0];
  EXPECT_EQ(finding.action, RecoveryAction::kCutTornTail);
  EXPECT_EQ(finding.path, path_ + "/ready-log");
  EXPECT_EQ(finding.bytes, 100);
  EXPECT_EQ(finding.set_aside, path_ + "/" + CutFileName({}));
  EXPECT_THAT(finding.ToString(), Not(HasSubstr("offset")));
  EXPECT_EQ(ReadBytes(path_ + "/" + CutFileName({})), garbage.substr(0, 100));
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, WholeBatchesBehindATornFrontAreReportedAsDamage) {
  Recover();
  FillAndPrepare();
  AppendBytes(config_.segment_bytes / 2);
  ASSERT_EQ(log_->segment_count(), 2);
  Crash();
  std::string bytes = ReadBytes(path_ + "/ready-log");
  bytes.replace(0, 500, std::string(500, '\0'));
  WriteBytes(path_ + "/ready-log", bytes);
  Recover();
  ASSERT_THAT(recovered_.report.findings, SizeIs(1));
  EXPECT_EQ(recovered_.report.findings[0].action,
            RecoveryAction::kCutAmbiguous);
  EXPECT_TRUE(recovered_.report.has_damage());
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, WithoutRoomForATornOneTheLogIsReadOnly) {
  Recover();
  AppendBytes(5000);
  CloseCleanly();
  const std::string garbage(100, '\7');
  WriteBytes(path_ + "/ready-log", garbage);
  files_.LimitSpace(0);
  Recover();
  EXPECT_THAT(recovered_.read_only,
              StatusIs(absl::StatusCode::kResourceExhausted));
  ASSERT_THAT(recovered_.report.findings, SizeIs(1));
  EXPECT_THAT(recovered_.report.findings[0].ToString(),
              HasSubstr("not set aside"));
  ExpectAllReadable();
  EXPECT_THAT(TryAppend("new"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReadBytes(path_ + "/ready-log"), garbage);
  files_.UnlimitSpace();
  Recover();
  EXPECT_THAT(recovered_.read_only, IsOk());
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  EXPECT_EQ(ReadBytes(path_ + "/" + CutFileName({})), garbage);
  AppendBytes(1);
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, TooMuchSetAsideBeforeLeavesTheLogReadOnly) {
  Recover();
  AppendBytes(5000);
  Crash();
  const std::string cut = path_ + "/" + CutFileName({.base_offset = 50});
  WriteBytes(cut, "");
  std::filesystem::resize_file(cut, kSetAsideBytesMax - 99);
  WriteBytes(path_ + "/ready-log", std::string(100, '\7'));
  Recover();
  EXPECT_THAT(
      recovered_.read_only,
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("remove them")));
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, LoweredConfigLosesNoBatchOfAnUnnamedSegment) {
  Recover();
  FillAndPrepare();
  AppendBytes(config_.segment_bytes * 3 / 10);
  const std::string large(150'000, 'x');
  Append(large);
  ASSERT_EQ(log_->segment_count(), 2);
  ASSERT_THAT(ReadyFiles(), SizeIs(3));
  const int64_t end = log_->visible_end();
  config_.segment_bytes = 4096;
  config_.max_message_bytes = 100;
  ASSERT_THAT(log_->SetConfig(config_), IsOk());
  Crash();
  Recover();
  EXPECT_EQ(log_->visible_end(), end);
  EXPECT_THAT(recovered_.report.findings, IsEmpty());
  EXPECT_EQ(ReadAll().at(end - 1), large);
}

TEST_F(ReadySegmentTest, ReadySegmentOfAnotherSizeIsNotUsed) {
  Recover();
  FillAndPrepare();
  config_.segment_bytes *= 2;
  ASSERT_THAT(log_->SetConfig(config_), IsOk());
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  AppendBytes(config_.segment_bytes);
  ASSERT_EQ(log_->segment_count(), 2);
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, FullDiskWhilePreparingChangesNothing) {
  Recover();
  AppendBytes(config_.segment_bytes * 6 / 10);
  files_.LimitSpace(0);
  log_->PrepareAhead(kBudget);
  EXPECT_THAT(ReadyFiles(), IsEmpty());
  files_.UnlimitSpace();
  AppendBytes(config_.segment_bytes);
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, SecondRollBeforeTheFirstIsNamedLosesNothing) {
  Recover();
  FillAndPrepare();
  AppendBytes(config_.segment_bytes * 2);
  ASSERT_EQ(log_->segment_count(), 3);
  const int64_t end = log_->visible_end();
  Crash();
  Recover();
  EXPECT_EQ(log_->visible_end(), end);
  ExpectAllReadable();
}

TEST_F(ReadySegmentTest, ManyUnsyncedSegmentsAreSyncedByTheAppender) {
  config_.segment_bytes = 4096;
  Recover();
  AppendBytes(200'000);
  EXPECT_GT(log_->durable_end(), 0);
}

TEST_F(ReadySegmentTest, AppendsGoOnWhileAnotherThreadPrepares) {
  Recover();
  std::atomic<bool> done = false;
  std::thread preparer([&] {
    while (!done.load()) {
      log_->PrepareAhead(kBudget);
      ASSERT_THAT(log_->Sync(), IsOk());
    }
  });
  AppendBytes(20 * config_.segment_bytes);
  done = true;
  preparer.join();
  ExpectAllReadable();
  CloseCleanly();
  OpenClean();
  ExpectAllReadable();
}

}  // namespace
}  // namespace varve
