// SPDX-License-Identifier: Apache-2.0

// Leader epochs: each open that writes after a crash takes one of its own, and
// recovery judges batches by theirs (log/FORMAT.md, section 7).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/damaged_partition_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/recovery/recovery_action.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using RecoveryEpochsTest = DamagedPartitionFixture;

// FORMAT.md section 7: bytes of a cut tail that come back after new batches.
TEST_F(RecoveryEpochsTest, StaleBatchesOfAnOldEpochNeverComeBack) {
  WriteAndCrash(4);
  const std::string old = Batches(0, 4);
  CutAt(0, static_cast<size_t>(2 * size_));
  Recover();
  EXPECT_EQ(Append("valve-12"), 2);
  Crash();
  const std::string fresh = Batches(0, 3);
  ASSERT_EQ(fresh.size(), 3 * size_);
  WriteBytes(LogPath(0), fresh + old.substr(fresh.size()));
  Contents contents = Values(0, 2);
  contents[2] = "valve-12";
  ExpectRecovered(contents, 3);
  EXPECT_THAT(CutFiles(), SizeIs(1));
}

TEST_F(RecoveryEpochsTest, EveryUncleanOpenWithAnAppendHasAnEpochOfItsOwn) {
  for (int64_t i = 0; i < 4; ++i) {
    Recover();
    AppendMany(2);
    Crash();
  }
  EXPECT_THAT(EpochsOnDisk().entries(),
              ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{1, 2},
                          LeaderEpoch{2, 4}, LeaderEpoch{3, 6}));
  ExpectRecovered(Values(0, 8), 8);
}

TEST_F(RecoveryEpochsTest, OpensWithoutAWriteTakeNoEpoch) {
  WriteAndCrash(2);
  for (int i = 0; i < 3; ++i) Recover();
  EXPECT_THAT(EpochsOnDisk().entries(), ElementsAre(LeaderEpoch{0, 0}));
}

TEST_F(RecoveryEpochsTest, CleanOpensKeepTheEpoch) {
  Recover();
  AppendMany(2);
  CloseCleanly();
  OpenClean();
  EXPECT_TRUE(recovered_.report.clean);
  AppendMany(2);
  CloseCleanly();
  EXPECT_THAT(EpochsOnDisk().entries(), ElementsAre(LeaderEpoch{0, 0}));
}

TEST_F(RecoveryEpochsTest, EpochsOfWhatIsCutStayTaken) {
  WriteAndCrash(3);
  std::string bytes = Batches(0, 3);
  StoreBig32(bytes.data() + 2 * size_ + batch_layout::kLeaderEpoch, 7);
  WriteBytes(LogPath(0), bytes);
  Recover();
  EXPECT_EQ(log_->visible_end(), 2);
  AppendMany(1);
  EXPECT_THAT(EpochsOnDisk().entries(),
              ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{8, 2}));
}

TEST_F(RecoveryEpochsTest, LostEpochsAreReadFromTheBatches) {
  WriteAndCrash(2);
  Recover();
  AppendMany(2);
  Crash();
  const std::string checkpoint = path_ + "/leader-epoch-checkpoint";
  for (const std::string text : {"-", "", "garbage", "0\n1\n5 9999999x\n"}) {
    SCOPED_TRACE(text);
    std::filesystem::remove(checkpoint);
    if (text != "-") WriteBytes(checkpoint, text);
    Recover();
    EXPECT_EQ(ReadAll(), Values(0, 4));
    EXPECT_THAT(recovered_.report.notes, Not(IsEmpty()));
    EXPECT_THAT(recovered_.epochs.entries(),
                ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{1, 2}));
  }
  AppendMany(1);
  EXPECT_EQ(EpochsOnDisk().highest(), 2);
}

TEST_F(RecoveryEpochsTest, EpochsThatDurableBatchesContradictAreNotBelieved) {
  WriteAndCrash(2);
  Recover();
  AppendMany(2);
  Crash();
  checkpoint_.recovery_point = 4;
  for (const std::string text : {"0\n1\n0 0\n", "0\n1\n7 0\n"}) {
    SCOPED_TRACE(text);
    WriteBytes(path_ + "/leader-epoch-checkpoint", text);
    Recover();
    EXPECT_EQ(ReadAll(), Values(0, 4));
    EXPECT_THAT(recovered_.report.findings, IsEmpty());
    EXPECT_THAT(recovered_.report.notes, SizeIs(1));
    EXPECT_THAT(recovered_.epochs.entries(),
                ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{1, 2}));
  }
  EXPECT_EQ(recovered_.highest_epoch, 7);  // once seen, it stays taken
}

TEST_F(RecoveryEpochsTest, EpochsThatOtherBatchesContradictCutThemAndSaySo) {
  WriteAndCrash(2);
  Recover();
  AppendMany(2);
  Crash();
  const std::string bytes = Batches(0, 4);
  WriteBytes(path_ + "/leader-epoch-checkpoint", "0\n1\n0 0\n");
  Recover();
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kCutAmbiguous));
  EXPECT_EQ(ReadAll(), Values(0, 2));
  EXPECT_EQ(CutBytes(CutFiles().at(0)), bytes.substr(bytes.size() / 2));
  AppendMany(1);
  EXPECT_THAT(EpochsOnDisk().entries(),
              ElementsAre(LeaderEpoch{0, 0}, LeaderEpoch{2, 2}));
}

// The field has no checksum: one batch must not decide for the rest.
TEST_F(RecoveryEpochsTest, WrongEpochInADurableBatchCondemnsThatBatchAlone) {
  WriteAndCrash(4);
  checkpoint_.recovery_point = 3;
  const std::string sound = Batches(0, 4);
  const auto field = static_cast<size_t>(size_) + batch_layout::kLeaderEpoch;
  for (size_t bit = field * 8; bit < (field + 4) * 8; ++bit) {
    SCOPED_TRACE(bit);
    WriteBytes(LogPath(0), WithBitFlipped(sound, bit));
    Recover();
    EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
    EXPECT_EQ(Finding().offset, 1);
    EXPECT_EQ(Finding().next_offset, 2);
    EXPECT_EQ(log_->visible_end(), 4);
  }
}

TEST_F(RecoveryEpochsTest, RisenEpochMisleadsNoneThoughTheCheckpointIsLost) {
  WriteAndCrash(4);
  checkpoint_.recovery_point = 4;
  const std::string sound = Batches(0, 4);
  const auto field = static_cast<size_t>(size_) + batch_layout::kLeaderEpoch;
  // All but the sign: a batch of no epoch is no rise.
  for (size_t bit = field * 8; bit < (field + 4) * 8; ++bit) {
    if (bit == field * 8 + 7) continue;
    SCOPED_TRACE(bit);
    WriteBytes(LogPath(0), WithBitFlipped(sound, bit));
    std::filesystem::remove(path_ + "/leader-epoch-checkpoint");
    Recover();
    EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
    EXPECT_EQ(Finding().next_offset, 2);
    EXPECT_THAT(recovered_.epochs.entries(), ElementsAre(LeaderEpoch{0, 0}));
  }
}

}  // namespace
}  // namespace varve
