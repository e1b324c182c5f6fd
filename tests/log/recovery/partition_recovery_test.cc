// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/partition_recovery.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/damaged_partition_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/recovery/recovery_action.h"
#include "varve/log/recovery/set_aside.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Code = absl::StatusCode;

using PartitionRecoveryTest = DamagedPartitionFixture;

TEST_F(PartitionRecoveryTest, EmptyDirectoryIsAnEmptyLog) {
  Recover();
  EXPECT_EQ(log_->visible_end(), 0);
  EXPECT_TRUE(recovered_.segment_bases.empty());
  EXPECT_THAT(recovered_.report.findings, IsEmpty());
  EXPECT_THAT(recovered_.report.notes, IsEmpty());
}

TEST_F(PartitionRecoveryTest, KilledWriterLosesNothingAndZerosAreTrimmed) {
  WriteAndCrash(4);
  ASSERT_GT(std::filesystem::file_size(LogPath(0)), 4 * size_);
  ExpectRecovered(Values(0, 4), 4);
  EXPECT_EQ(std::filesystem::file_size(LogPath(0)), 4 * size_);
  EXPECT_THAT(recovered_.report.findings, IsEmpty());
  EXPECT_THAT(CutFiles(), IsEmpty());
}

TEST_F(PartitionRecoveryTest, EveryTruncationLeavesTheLongestWholePrefix) {
  WriteAndCrash(4);
  const std::string bytes = Batches(0, 4);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    SCOPED_TRACE(size);
    RemoveCutFiles();
    WriteBytes(LogPath(0), bytes.substr(0, size));
    const auto whole = static_cast<int64_t>(size) / size_;
    ASSERT_NO_FATAL_FAILURE(ExpectRecovered(Values(0, whole), whole));
    ASSERT_EQ(ReadBytes(LogPath(0)),
              bytes.substr(0, static_cast<size_t>(whole * size_)));
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(PartitionRecoveryTest, EveryTruncationBelowTheRecoveryPointIsReported) {
  WriteAndCrash(4);
  const std::string bytes = Batches(0, 4);
  checkpoint_.recovery_point = 4;
  for (size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    std::filesystem::remove(LogPath(4));
    WriteBytes(LogPath(0), bytes.substr(0, size));
    const auto whole = static_cast<int64_t>(size) / size_;
    ASSERT_NO_FATAL_FAILURE(ExpectRecovered(Values(0, whole), 4));
    ASSERT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
    ASSERT_EQ(Finding().offset, whole);
    ASSERT_EQ(Finding().next_offset, 4);
    ASSERT_EQ(Append("new"), 4);
    ASSERT_EQ(ReadBytes(LogPath(0)), bytes.substr(0, size));
    ASSERT_EQ(ReadAll().at(4), "new");
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(PartitionRecoveryTest, RecoveryPointDividesCorruptionFromATornTail) {
  WriteAndCrash(4);
  const std::string bytes = Batches(0, 4);
  checkpoint_.recovery_point = 2;
  for (int64_t whole = 0; whole < 4; ++whole) {
    SCOPED_TRACE(whole);
    WriteBytes(LogPath(0),
               bytes.substr(0, static_cast<size_t>(whole * size_ + 30)));
    Recover();
    EXPECT_EQ(log_->visible_end(), std::max<int64_t>(whole, 2));
    EXPECT_THAT(Actions(),
                ElementsAre(whole < 2 ? RecoveryAction::kKeepDamaged
                                      : RecoveryAction::kCutTornTail));
  }
}

TEST_F(PartitionRecoveryTest, TornTailIsSetAsideByteForByte) {
  WriteAndCrash(4);
  const std::string bytes = Batches(0, 4);
  CutAt(0, static_cast<size_t>(3 * size_ + 70));
  Recover();
  const std::string name = CutFileName({.position = 3 * size_});
  EXPECT_THAT(CutFiles(), ElementsAre(name));
  EXPECT_EQ(CutBytes(name), bytes.substr(static_cast<size_t>(3 * size_), 70));
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kCutTornTail));
  EXPECT_EQ(Finding().set_aside, path_ + "/" + name);
  EXPECT_EQ(Finding().position, 3 * size_);
  EXPECT_EQ(Finding().offset, 3);
  EXPECT_FALSE(recovered_.report.has_damage());
}

TEST_F(PartitionRecoveryTest, UnfinishedAppendOfAKilledWriterIsATornTail) {
  WriteAndCrash(4);
  std::string bytes = ReadBytes(LogPath(0));
  StoreBig32(bytes.data() + 3 * size_ + batch_layout::kBatchLength, 0);
  WriteBytes(LogPath(0), bytes);
  ExpectRecovered(Values(0, 3), 3);
  EXPECT_THAT(CutFiles(), SizeIs(1));
}

TEST_F(PartitionRecoveryTest, WholeBatchesBehindABadOneAreCutAndReported) {
  WriteAndCrash(4);
  Damage(0, 1);
  const std::string bytes = Batches(0, 4);
  Recover();
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kCutAmbiguous));
  EXPECT_TRUE(recovered_.report.has_damage());
  EXPECT_EQ(ReadAll(), Values(0, 1));
  ASSERT_THAT(CutFiles(), SizeIs(1));
  EXPECT_EQ(CutBytes(CutFiles()[0]), bytes.substr(static_cast<size_t>(size_)));
}

TEST_F(PartitionRecoveryTest, DamageBelowTheRecoveryPointLosesThatBatchAlone) {
  WriteAndCrash(4);
  checkpoint_.recovery_point = 3;
  Damage(0, 1);
  const std::string bytes = Batches(0, 4);
  Recover();
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
  EXPECT_EQ(Finding().next_offset, 2);
  Contents rest = Values(0, 4);
  rest.erase(1);
  EXPECT_EQ(ReadAll(), rest);
  EXPECT_THAT(log_->Read(1, {}),
              StatusIs(Code::kDataLoss, HasSubstr("readable offset is 2")));
  EXPECT_EQ(ReadBytes(LogPath(0)), bytes);
  EXPECT_EQ(Append("new"), 4);
}

TEST_F(PartitionRecoveryTest, SegmentsBehindACutAreSetAsideWhole) {
  WriteAndCrash(6, /*in_segment=*/2);
  const std::string second = ReadBytes(LogPath(2));
  const std::string third = ReadBytes(LogPath(4));
  Damage(0, 1);
  ExpectRecovered(Values(0, 1), 1);
  EXPECT_THAT(CutFiles(), ElementsAre(CutFileName({.position = size_}),
                                      CutFileName({.base_offset = 2}),
                                      CutFileName({.base_offset = 4})));
  EXPECT_EQ(CutBytes(CutFileName({.base_offset = 2})), second);
  EXPECT_EQ(CutBytes(CutFileName({.base_offset = 4})), third);
  EXPECT_THAT(NamesIn(path_, "00000000000000000002"), IsEmpty());
}

TEST_F(PartitionRecoveryTest, MissingMiddleSegmentAboveTheRecoveryPointIsACut) {
  WriteAndCrash(6, /*in_segment=*/2);
  std::filesystem::remove(LogPath(2));
  ExpectRecovered(Values(0, 2), 2);
  EXPECT_THAT(CutFiles(), ElementsAre(CutFileName({.base_offset = 4})));
}

TEST_F(PartitionRecoveryTest, MissingMiddleSegmentOfDurableRecordsIsDataLoss) {
  WriteAndCrash(6, /*in_segment=*/2);
  std::filesystem::remove(LogPath(2));
  checkpoint_.recovery_point = 4;
  Recover();
  Contents rest = Values(0, 6);
  rest.erase(2);
  rest.erase(3);
  EXPECT_EQ(ReadAll(), rest);
  EXPECT_THAT(log_->Read(2, {}),
              StatusIs(Code::kDataLoss, HasSubstr("readable offset is 4")));
  EXPECT_THAT(CutFiles(), IsEmpty());
}

TEST_F(PartitionRecoveryTest, MissingFirstSegmentIsReportedAndTheRestIsRead) {
  WriteAndCrash(6, /*in_segment=*/2);
  std::filesystem::remove(LogPath(0));
  for (int64_t recovery_point : {0, 1, 6}) {
    checkpoint_.recovery_point = recovery_point;
    Recover();
    EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
    EXPECT_EQ(Finding().offset, 0);
    EXPECT_EQ(Finding().next_offset, 2);
    EXPECT_EQ(ReadAll(), Values(2, 6));
    EXPECT_THAT(log_->Read(0, {}),
                StatusIs(Code::kDataLoss, HasSubstr("readable offset is 2")));
  }
}

TEST_F(PartitionRecoveryTest, AllSegmentsMissingReusesNoOffset) {
  WriteAndCrash(4);
  std::filesystem::remove(LogPath(0));
  checkpoint_.recovery_point = 4;
  Recover();
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
  EXPECT_THAT(log_->Read(0, {}), StatusIs(Code::kDataLoss));
  EXPECT_EQ(Append("new"), 4);
  EXPECT_EQ(ReadAll(), (Contents{{4, "new"}}));
}

TEST_F(PartitionRecoveryTest, IndexesAreMadeAgain) {
  config_.index_interval_bytes = 0;
  WriteAndCrash(6);
  std::filesystem::remove(path_ + "/00000000000000000000.index");
  WriteBytes(path_ + "/00000000000000000000.timeindex", "garbage");
  ExpectRecovered(Values(0, 6), 6);
  EXPECT_EQ(ReadBytes(path_ + "/00000000000000000000.index").size(), 5 * 8);
  EXPECT_EQ(ReadBytes(path_ + "/00000000000000000000.timeindex").size(), 12);
}

TEST_F(PartitionRecoveryTest, WithoutRoomToSetAsideTheLogIsReadOnly) {
  WriteAndCrash(4);
  Damage(0, 2);
  const std::string bytes = ReadBytes(LogPath(0));
  files_.LimitSpace(-100000);  // the space of the old indexes is not enough
  Recover();
  EXPECT_THAT(recovered_.read_only, StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(ReadAll(), Values(0, 2));
  EXPECT_THAT(TryAppend("new"), StatusIs(Code::kFailedPrecondition));
  EXPECT_TRUE(ReadBytes(LogPath(0)) == bytes);
  EXPECT_THAT(CutFiles(), IsEmpty());
  files_.UnlimitSpace();
  ExpectRecovered(Values(0, 2), 2);
  EXPECT_EQ(Append("new"), 2);
}

TEST_F(PartitionRecoveryTest, SetAsideFilesAreBounded) {
  WriteAndCrash(2);
  const std::string cut = path_ + "/" + CutFileName({.base_offset = 50});
  WriteBytes(cut, "");
  std::filesystem::resize_file(cut, kSetAsideBytesMax - 29);
  CutAt(0, static_cast<size_t>(size_ + 30));
  Recover();
  EXPECT_THAT(recovered_.read_only,
              StatusIs(Code::kResourceExhausted, HasSubstr("remove them")));
  EXPECT_EQ(ReadAll(), Values(0, 1));
  std::filesystem::resize_file(cut, kSetAsideBytesMax - 30);
  ExpectRecovered(Values(0, 1), 1);
}

// A limit that follows a config would be another one at the recovery than at
// the append.
TEST_F(PartitionRecoveryTest, LoweredConfigsLimitNothingThatIsSetAside) {
  WriteAndCrash(4);
  Damage(0, 1);
  config_.segment_bytes = 14;
  config_.max_message_bytes = 1;
  ExpectRecovered(Values(0, 1), 1);
  EXPECT_THAT(CutFiles(), SizeIs(1));
}

TEST_F(PartitionRecoveryTest, DamagedCleanLogIsDataLossAndCallsForRecovery) {
  Recover();
  AppendMany(4);
  size_ = BatchSize();
  CloseCleanly();
  ASSERT_THAT(TryOpenClean(), IsOk());
  Damage(0, 3);
  EXPECT_THAT(TryOpenClean(), StatusIs(Code::kDataLoss, HasSubstr("clean")));
  CutAt(0, static_cast<size_t>(3 * size_));
  EXPECT_THAT(TryOpenClean(), StatusIs(Code::kDataLoss));
  std::filesystem::remove(LogPath(0));
  EXPECT_THAT(TryOpenClean(), StatusIs(Code::kDataLoss));
}

// Every bit of the last two batches: below the recovery point that batch alone
// is lost and reported; above it the log is cut there. Never a wrong byte.
TEST_F(PartitionRecoveryTest, EveryBitFlipIsReportedAndNoWrongByteIsRead) {
  WriteAndCrash(3);
  const std::string bytes = Batches(0, 3);
  checkpoint_.recovery_point = 2;
  for (size_t bit = bytes.size() / 3 * 8; bit < bytes.size() * 8; ++bit) {
    SCOPED_TRACE(bit);
    RemoveCutFiles();
    WriteBytes(LogPath(0), WithBitFlipped(bytes, bit));
    ASSERT_THAT(TryRecover(), IsOk());
    const bool second = bit < bytes.size() / 3 * 16;
    // A whole batch of a wrong epoch may be right, and the checkpoint wrong.
    const size_t byte = bit / 8 % (bytes.size() / 3);
    const bool epoch =
        byte >= batch_layout::kLeaderEpoch && byte < batch_layout::kMagic;
    ASSERT_THAT(Actions(), ElementsAre(second  ? RecoveryAction::kKeepDamaged
                                       : epoch ? RecoveryAction::kCutAmbiguous
                                               : RecoveryAction::kCutTornTail));
    ASSERT_EQ(Finding().offset, second ? 1 : 2);
    ASSERT_EQ(recovered_.next_offset, second ? 3 : 2);
  }
}

}  // namespace
}  // namespace varve
