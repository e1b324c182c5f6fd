// SPDX-License-Identifier: Apache-2.0

// When a partition writes, continues and removes the sidecars of its segments
// (log/FORMAT.md, section 18, invariants I14 and I15).

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/damaged_partition_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/verification/partition_verifier.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Repeat = FaultyFileSystem::Repeat;

class SidecarLifecycleTest : public DamagedPartitionFixture {
 protected:
  // Three records in a segment; `count` of them are there, nothing is synced.
  void Fill(int64_t count) {
    Recover();
    AppendMany(1);
    size_ = BatchSize();
    config_.segment_bytes = 3 * size_;
    ASSERT_THAT(log_->SetConfig(config_), IsOk());
    AppendMany(count - 1);
  }
  std::vector<std::string> Sidecars() const { return NamesIn(path_, "sealed"); }
  std::string SidecarPath(int64_t base_offset) const {
    return path_ + "/" + SidecarFileName(base_offset);
  }
  SegmentSidecar Read(int64_t base_offset) {
    auto directory = files_.OpenDirectory(path_);
    auto sidecar = ReadSidecar(**directory, base_offset);
    EXPECT_THAT(sidecar, IsOk());
    return sidecar.value_or(SegmentSidecar());
  }
  void Write(const SegmentSidecar& sidecar) {
    WriteBytes(SidecarPath(sidecar.base_offset), sidecar.ToText());
  }
  static uint32_t Crc(std::string_view bytes) {
    return static_cast<uint32_t>(absl::ComputeCrc32c(bytes));
  }
  std::string FileOf(int64_t base_offset, SegmentFileKind kind) const {
    return ReadBytes(path_ + "/" + SegmentFileName(base_offset, kind));
  }
  // The expected sidecar of a segment of equal batches. Timestamps are the
  // clock's.
  SegmentSidecar Expected(int64_t base_offset) {
    const std::string log = FileOf(base_offset, SegmentFileKind::kLog);
    std::string heads;
    for (size_t at = 0; at < log.size(); at += static_cast<size_t>(size_)) {
      heads += log.substr(at, 21);
    }
    const auto count = static_cast<int64_t>(log.size()) / size_;
    return {.base_offset = base_offset,
            .size_bytes = static_cast<int64_t>(log.size()),
            .next_offset = base_offset + count,
            .max_timestamp_ms = 1700000000000,
            .headers_crc = Crc(heads),
            .index_crc = Crc(FileOf(base_offset, SegmentFileKind::kIndex)),
            .time_index_crc =
                Crc(FileOf(base_offset, SegmentFileKind::kTimeIndex))};
  }
  // The findings of a verification of the closed partition.
  std::vector<VerifyFinding> Findings() {
    auto directory = files_.OpenDirectory(path_);
    auto result = VerifyPartition(
        **directory,
        {.checkpoint = checkpoint_, .continuity = ContinuityOf(config_)});
    EXPECT_THAT(result, IsOk());
    std::vector<VerifyFinding> damage;
    for (const VerifyFinding& finding : result->findings) {
      if (finding.severity == FindingSeverity::kDamage) {
        damage.push_back(finding);
      }
    }
    return damage;
  }
};

TEST_F(SidecarLifecycleTest, SyncBehindARollWritesThatOfEachSealedSegment) {
  Fill(8);
  EXPECT_THAT(Sidecars(), IsEmpty());
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0), SidecarFileName(3)));
  EXPECT_EQ(Read(0), Expected(0));
  EXPECT_EQ(Read(3), Expected(3));
}

TEST_F(SidecarLifecycleTest, IsDurableBeforeTheDurableEndPassesTheSegment) {
  Fill(4);
  files_.ForgetCalls();
  ASSERT_THAT(log_->Sync(), IsOk());
  std::vector<std::string> calls;
  for (const std::string& call : files_.calls()) {
    const size_t space = call.find(' ');
    const std::string what = call.substr(0, space);
    const std::string file = call.substr(call.rfind('/') + 1);
    if (file.starts_with("sealed")) calls.push_back(what + " " + file);
    if (what == "Directory::Sync") calls.push_back(what);
  }
  const std::string temporary = SidecarFileName(0) + ".tmp";
  EXPECT_THAT(
      calls,
      ElementsAre("Directory::OpenFile " + temporary,
                  "File::Truncate " + temporary, "File::WriteAt " + temporary,
                  "File::Sync " + temporary, "Directory::Rename " + temporary,
                  "Directory::Sync"));
  EXPECT_EQ(log_->durable_end(), 4);
}

TEST_F(SidecarLifecycleTest, CloseWritesThatOfTheLastSegment) {
  Fill(5);
  CloseCleanly();
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0), SidecarFileName(3)));
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, ParkWritesItAndTheNextAppendRemovesItFirst) {
  Fill(5);
  ASSERT_THAT(log_->Park(), IsOk());
  EXPECT_EQ(Read(3), Expected(3));
  files_.ForgetCalls();
  AppendMany(1);
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0)));
  EXPECT_THAT(files_.calls(),
              Contains("Directory::RemoveFile " + SidecarPath(3)));
  CloseCleanly();
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_EQ(Read(3).next_offset, 6);
}

// The sync of a park does not hold the lock; an append during it continues the
// segment afterwards.
TEST_F(SidecarLifecycleTest,
       ParkBesideAnAppendLeavesNoneBesideAnActiveSegment) {
  Fill(5);
  std::thread append;
  files_.RunBefore("File::Sync " + LogPath(3),
                   [&] { append = std::thread([this] { AppendMany(1); }); });
  ASSERT_THAT(log_->Park(), IsOk());
  append.join();
  ASSERT_EQ(log_->visible_end(), 6);
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0)));
  AppendMany(1);
  CloseCleanly();
  EXPECT_EQ(Read(6).next_offset, 7);
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, TrimOfEverythingBesideARollLeavesNone) {
  Fill(3);
  ASSERT_THAT(log_->Sync(), IsOk());
  listener_->on_checkpoint_change = [this] { AppendMany(1); };
  ASSERT_THAT(log_->TrimBefore(3), IsOk());
  ASSERT_EQ(log_->segment_count(), 1);
  ASSERT_EQ(log_->visible_end(), 4);
  ASSERT_THAT(log_->Sync(), IsOk());
  EXPECT_THAT(Sidecars(), IsEmpty());
  EXPECT_THAT(NamesIn(path_, "00000000000000000000"), IsEmpty());
  CloseCleanly();
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(3)));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, NothingIsAppendedWhenItCannotBeRemoved) {
  Fill(5);
  CloseCleanly();
  OpenClean();
  const std::string log = FileOf(3, SegmentFileKind::kLog);
  files_.FailCallsNamed("Directory::RemoveFile " + SidecarPath(3), EIO,
                        Repeat::kOnce);
  EXPECT_FALSE(TryAppend("value").ok());
  EXPECT_EQ(FileOf(3, SegmentFileKind::kLog), log);
  EXPECT_EQ(Append(Value(5)), 5);
  CloseCleanly();
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, CloseSyncsItsName) {
  Fill(2);
  CloseCleanly();
  OpenClean();
  AppendMany(1);
  files_.ForgetCalls();
  CloseCleanly();
  const std::vector<std::string> calls = files_.calls();
  EXPECT_EQ(calls.back(), "Directory::Sync " + path_);
  EXPECT_EQ(calls.at(calls.size() - 2),
            "Directory::Rename " + SidecarPath(0) + ".tmp");
}

TEST_F(SidecarLifecycleTest, EmptySegmentHasOne) {
  Fill(3);
  ASSERT_THAT(log_->Roll(), IsOk());
  CloseCleanly();
  EXPECT_EQ(Read(3), (SegmentSidecar{.base_offset = 3,
                                     .next_offset = 3,
                                     .index_crc = 0,
                                     .time_index_crc = 0}));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, TrimRemovesItBeforeTheLog) {
  Fill(8);
  files_.ForgetCalls();
  ASSERT_THAT(log_->TrimBefore(6), IsOk());
  EXPECT_THAT(Sidecars(), IsEmpty());
  std::vector<std::string> removed;
  for (const std::string& call : files_.calls()) {
    if (call.starts_with("Directory::RemoveFile")) {
      removed.push_back(call.substr(call.rfind('/') + 1));
    }
  }
  ASSERT_FALSE(removed.empty());
  EXPECT_EQ(removed.front(), SidecarFileName(0));
}

TEST_F(SidecarLifecycleTest, FullDiskLeavesItOutAndPoisonsNothing) {
  Fill(4);
  files_.FailCallsNamed("File::WriteAt " + SidecarPath(0), ENOSPC,
                        Repeat::kForever);
  EXPECT_THAT(log_->Sync(), IsOk());
  EXPECT_EQ(log_->durable_end(), 4);
  EXPECT_THAT(Sidecars(), IsEmpty()) << "the temporary one included";
  AppendMany(1);
  CloseCleanly();
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(3)));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(SidecarLifecycleTest, FailureAtEveryCallOfASyncLosesNothing) {
  for (int64_t i = 0;; ++i) {
    SCOPED_TRACE(i);
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    checkpoint_ = {};
    config_.segment_bytes = 1 << 20;
    Fill(5);
    files_.ForgetCalls();
    files_.FailCall(i, EIO, Repeat::kOnce);
    const bool synced = log_->Sync().ok();
    const bool failed = files_.call_count() > i;
    files_.StopFailing();
    if (synced) checkpoint_ = log_->checkpoint();
    Crash();
    Recover();
    EXPECT_EQ(ReadAll(), Values(0, 5));
    CloseCleanly();
    EXPECT_THAT(Findings(), IsEmpty());
    if (!failed) break;
  }
}

TEST_F(SidecarLifecycleTest, RecoveryMakesThemAgain) {
  Fill(5);
  Crash();
  Recover();
  EXPECT_EQ(Read(0), Expected(0));
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_THAT(recovered_.report.notes, IsEmpty());
}

TEST_F(SidecarLifecycleTest, RecoveryThatCutsReplacesThoseItCuts) {
  Fill(8);
  CloseCleanly();
  ASSERT_EQ(Sidecars().size(), 3);
  checkpoint_.recovery_point = 3;
  Damage(3, 4);
  Recover();
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kCutAmbiguous));
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0), SidecarFileName(3)));
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_EQ(Read(3).next_offset, 4);
}

TEST_F(SidecarLifecycleTest, SegmentWithDamageThatIsKeptLosesIt) {
  Fill(8);
  CloseCleanly();
  Damage(3, 4);
  checkpoint_.recovery_point = 8;
  checkpoint_.log_start = 0;
  Damage(6, 6);
  Recover();
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(0), SidecarFileName(3)));
}

TEST_F(SidecarLifecycleTest, DamagedOneIsMadeAgainByRecoveryAndReported) {
  Fill(5);
  CloseCleanly();
  const SegmentSidecar sidecar = Read(3);
  WriteBytes(SidecarPath(3), "varve.sealed 1\n");
  checkpoint_.recovery_point = 4;
  Recover();
  EXPECT_THAT(recovered_.report.notes,
              ElementsAre(AllOf(HasSubstr("a sidecar was made again"),
                                HasSubstr(SidecarFileName(3)))));
  EXPECT_EQ(Read(3), sidecar);
}

// With gaps allowed nothing but the sidecar knows the last base offset.
TEST_F(SidecarLifecycleTest, HeaderDamagedBeforeARecoveryStaysDamaged) {
  config_.cleanup_policy = CleanupPolicy::kCompact;
  Fill(5);
  CloseCleanly();
  const SegmentSidecar sidecar = Read(3);
  FlipBit(3, static_cast<size_t>(size_ + 7) * 8 + 1);  // offset 4 becomes 6
  checkpoint_.recovery_point = 7;  // no gap is allowed past it
  Recover();
  EXPECT_THAT(recovered_.report.notes,
              ElementsAre(HasSubstr("the headers of the batches are not")));
  EXPECT_EQ(Read(3), sidecar);
}

TEST_F(SidecarLifecycleTest, HeaderDamagedBeforeAnAppendStaysDamaged) {
  config_.index_interval_bytes = 0;
  Fill(5);
  CloseCleanly();
  // The epoch of a batch that a clean open does not look at.
  FlipBit(3, 15 * 8);
  OpenClean();
  AppendMany(1);
  CloseCleanly();
  SegmentSidecar expected = Expected(3);
  FlipBit(3, 15 * 8);
  expected.headers_crc = Expected(3).headers_crc;
  EXPECT_EQ(Read(3), expected) << "the checksum is that of the sound batches";
}

TEST_F(SidecarLifecycleTest, OneOfAnotherLengthIsNotContinued) {
  Fill(5);
  CloseCleanly();
  SegmentSidecar wrong = Read(3);
  wrong.size_bytes -= 1;
  wrong.headers_crc ^= 1;
  Write(wrong);
  OpenClean();
  AppendMany(1);
  CloseCleanly();
  EXPECT_EQ(Read(3), Expected(3));
}

TEST_F(SidecarLifecycleTest, RetentionTakesTheTimestampFromIt) {
  Fill(5);
  CloseCleanly();
  SegmentSidecar other = Read(0);
  other.max_timestamp_ms = 1234;
  Write(other);
  OpenClean();
  files_.ForgetCalls();
  auto facts = log_->retention_segments().Collect(5, 0);
  ASSERT_THAT(facts, IsOk());
  EXPECT_EQ(facts->at(0).max_timestamp_ms, 1234);
  EXPECT_EQ(facts->at(0).size_bytes, 3 * size_);
  EXPECT_THAT(log_->retention_segments().VerifyTimestamp(0),
              absl_testing::IsOkAndHolds(1234));
  for (const std::string& call : files_.calls()) {
    EXPECT_THAT(call, testing::Not(HasSubstr("File::Map"))) << call;
  }
}

TEST_F(SidecarLifecycleTest, RetentionDoesNotBelieveOneOfAnotherLength) {
  Fill(5);
  CloseCleanly();
  SegmentSidecar other = Read(0);
  other.max_timestamp_ms = 1234;
  other.size_bytes += 1;
  Write(other);
  OpenClean();
  auto facts = log_->retention_segments().Collect(5, 0);
  ASSERT_THAT(facts, IsOk());
  EXPECT_EQ(facts->at(0).max_timestamp_ms, 1700000000000);
}

TEST_F(SidecarLifecycleTest, NoneIsNeeded) {
  Fill(8);
  CloseCleanly();
  for (const std::string& name : Sidecars()) {
    std::filesystem::remove(path_ + "/" + name);
  }
  EXPECT_THAT(Findings(), IsEmpty());
  OpenClean();
  EXPECT_EQ(ReadAll(), Values(0, 8));
  AppendMany(1);
  CloseCleanly();
  EXPECT_THAT(Sidecars(), ElementsAre(SidecarFileName(6)));
  EXPECT_EQ(Read(6), Expected(6));
}

// Nothing is appended since the open, so nothing has made room for an entry.
TEST_F(SidecarLifecycleTest, EmptiedTimeIndexOfAnOpenedSegmentIsSealed) {
  Fill(2);
  ASSERT_NO_FATAL_FAILURE(CloseCleanly());
  for (const std::string& name : Sidecars())
    std::filesystem::remove(path_ + "/" + name);
  const std::string time_index =
      path_ + "/" + SegmentFileName(0, SegmentFileKind::kTimeIndex);
  const std::string whole = ReadBytes(time_index);
  ASSERT_FALSE(whole.empty());
  WriteBytes(time_index, "");
  ASSERT_NO_FATAL_FAILURE(OpenClean());
  EXPECT_THAT(
      log_->Append({.value = std::string(1 << 20, 'x')}, Durability::kMemory),
      StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_NO_FATAL_FAILURE(CloseCleanly());
  EXPECT_EQ(ReadBytes(time_index), whole);
  ASSERT_NO_FATAL_FAILURE(OpenClean());
  EXPECT_EQ(ReadAll(), Values(0, 2));
}

}  // namespace
}  // namespace varve
