// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/source_look.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/damaged_partition_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/recovery_action.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

// The source has the segments 0 and 5, of five batches each; its copy, which is
// not here, was cut.
class SourceLookTest : public DamagedPartitionFixture {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(WriteAndCrash(10, 5)); }

  absl::StatusOr<CutCause> Find(RecoveryFinding cut) {
    cut.action = RecoveryAction::kCutAmbiguous;
    absl::StatusOr<std::unique_ptr<Directory>> source =
        files_.OpenDirectory(path_);
    EXPECT_THAT(source, IsOk());
    return FindCutCause(**source, cut, EpochsOnDisk());
  }
  // Of a copy of segment 5 that was cut at `offset`.
  absl::StatusOr<CutCause> CauseAt(int64_t offset) {
    return Find(
        {.path = "/copy/p-0/" + SegmentFileName(5, SegmentFileKind::kLog),
         .position = (offset - 5) * size_,
         .offset = offset});
  }
  // Of a copy of the ready segment that was cut at its front.
  absl::StatusOr<CutCause> CauseInReady() {
    return Find(
        {.path = "/copy/p-0/ready-log", .offset = RecoveryFinding::kNoOffset});
  }
  void MakeReady(int64_t base_offset) {
    std::filesystem::rename(LogPath(base_offset), path_ + "/ready-log");
  }
};

TEST_F(SourceLookTest, WholeBatchInTheSourceWasBeingWritten) {
  EXPECT_THAT(CauseAt(5), IsOkAndHolds(CutCause::kCopying));
  EXPECT_THAT(CauseAt(7), IsOkAndHolds(CutCause::kCopying));
  EXPECT_THAT(CauseAt(9), IsOkAndHolds(CutCause::kCopying));
}

TEST_F(SourceLookTest, BatchThatIsBadInTheSourceIsDamage) {
  Damage(5, 7);
  EXPECT_THAT(CauseAt(7), IsOkAndHolds(CutCause::kDamage));
  EXPECT_THAT(CauseAt(8), IsOkAndHolds(CutCause::kCopying));
}

TEST_F(SourceLookTest, PlaceWithoutABatchInTheSourceIsDamage) {
  EXPECT_THAT(CauseAt(10), IsOkAndHolds(CutCause::kDamage));
  CutAt(5, 2 * static_cast<size_t>(size_));
  EXPECT_THAT(CauseAt(7), IsOkAndHolds(CutCause::kDamage));
  EXPECT_THAT(CauseAt(8), IsOkAndHolds(CutCause::kDamage));
}

TEST_F(SourceLookTest, SegmentThatIsGoneIsAChange) {
  std::filesystem::remove(LogPath(5));
  EXPECT_THAT(CauseAt(7), IsOkAndHolds(CutCause::kSourceChanged));
  // One with another first batch is ready.
  MakeReady(0);
  EXPECT_THAT(CauseAt(7), IsOkAndHolds(CutCause::kSourceChanged));
}

TEST_F(SourceLookTest, SegmentIsFoundUnderItsReadyName) {
  Damage(5, 7);
  MakeReady(5);
  EXPECT_THAT(CauseAt(6), IsOkAndHolds(CutCause::kCopying));
  EXPECT_THAT(CauseAt(7), IsOkAndHolds(CutCause::kDamage));
}

TEST_F(SourceLookTest, ReadySegmentIsJudgedByItsFront) {
  EXPECT_THAT(CauseInReady(), IsOkAndHolds(CutCause::kSourceChanged));
  WriteBytes(path_ + "/ready-log", std::string(4096, '\0'));
  EXPECT_THAT(CauseInReady(), IsOkAndHolds(CutCause::kSourceChanged));
  MakeReady(5);
  EXPECT_THAT(CauseInReady(), IsOkAndHolds(CutCause::kCopying));
  Damage(0, 0);
  MakeReady(0);
  EXPECT_THAT(CauseInReady(), IsOkAndHolds(CutCause::kDamage));
  // Nothing follows its first batch, which may be half written.
  WriteBytes(
      path_ + "/ready-log",
      ReadBytes(path_ + "/ready-log").substr(0, static_cast<size_t>(size_)));
  EXPECT_THAT(CauseInReady(), IsOkAndHolds(CutCause::kSourceChanged));
}

}  // namespace
}  // namespace varve
