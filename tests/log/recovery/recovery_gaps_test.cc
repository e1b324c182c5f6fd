// SPDX-License-Identifier: Apache-2.0

// Offsets that are missing from a log: which recovery keeps, which it cuts, and
// that it always reports them (log/FORMAT.md, "Recovery").

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
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/recovery/tail_recovery.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Code = absl::StatusCode;

constexpr CleanupPolicy kPolicies[] = {CleanupPolicy::kDelete,
                                       CleanupPolicy::kCompact};

class RecoveryGapsTest : public DamagedPartitionFixture {
 protected:
  // Writes six records in segments of two, as a new log.
  void WriteSegments(CleanupPolicy policy) {
    Crash();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    checkpoint_ = {};
    config_ = {.segment_bytes = 1 << 20, .cleanup_policy = policy};
    WriteAndCrash(6, /*in_segment=*/2);
  }
  // Leaves the file as a power loss does when its size and name were written
  // and its pages were not.
  void LosePages(int64_t base_offset) {
    const auto size = std::filesystem::file_size(LogPath(base_offset));
    WriteBytes(LogPath(base_offset), std::string(size, '\0'));
  }
  // Six records in one segment; those at 2 and 3 are left out as compaction
  // does it.
  void WriteCompacted(CleanupPolicy policy) {
    WriteSegments(policy);
    const std::string bytes = Batches(0, 2) + Batches(4, 2);
    std::filesystem::remove(LogPath(2));
    std::filesystem::remove(LogPath(4));
    WriteBytes(LogPath(0), bytes);
  }
  static Contents AllBut(int64_t begin, int64_t end) {
    Contents contents = Values(0, 6);
    contents.erase(contents.find(begin), contents.find(end));
    return contents;
  }
};

TEST_F(RecoveryGapsTest, ZerosBetweenSegmentsEndTheLogWhateverThePolicy) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    LosePages(2);
    const std::string behind = ReadBytes(LogPath(4));
    ExpectRecovered(Values(0, 2), 2);
    ASSERT_THAT(CutFiles(), ElementsAre(CutFileName({.base_offset = 4})));
    EXPECT_EQ(CutBytes(CutFiles()[0]), behind);
    EXPECT_EQ(std::filesystem::file_size(LogPath(2)), 0);
  }
}

TEST_F(RecoveryGapsTest, ZerosBetweenSegmentsAreReported) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    LosePages(2);
    Recover();
    EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kCutAmbiguous));
    EXPECT_EQ(Finding().offset, 2);
    EXPECT_TRUE(recovered_.report.has_damage());
    EXPECT_THAT(recovered_.report.notes,
                ElementsAre(HasSubstr("segment 4 stood behind the cut")));
    EXPECT_EQ(log_->durable_end(), 2);
    EXPECT_EQ(Append("new"), 2);
  }
}

TEST_F(RecoveryGapsTest, ZerosInAllSegmentsBehindAreATornTailAndNotKept) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    LosePages(2);
    LosePages(4);
    Recover();
    EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kCutTornTail));
    EXPECT_FALSE(recovered_.report.has_damage());
    EXPECT_THAT(recovered_.report.notes,
                ElementsAre(HasSubstr("segment 4 held only zeros")));
    EXPECT_EQ(log_->visible_end(), 2);
    EXPECT_THAT(CutFiles(), IsEmpty());
    EXPECT_THAT(NamesIn(path_, "00000000000000000004"), IsEmpty());
    EXPECT_EQ(ReadAll(), Values(0, 2));
  }
}

TEST_F(RecoveryGapsTest, EmptySegmentBetweenOthersEndsTheLog) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    CutAt(2, 0);
    ExpectRecovered(Values(0, 2), 2);
    EXPECT_THAT(CutFiles(), ElementsAre(CutFileName({.base_offset = 4})));
  }
}

TEST_F(RecoveryGapsTest, EveryTruncationBetweenSegmentsEndsTheLogThere) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    const std::string second = Batches(2, 2);
    const std::string third = ReadBytes(LogPath(4));
    for (size_t size = 0; size < second.size(); ++size) {
      for (const size_t zeros : {0, 500}) {
        SCOPED_TRACE(size);
        RemoveCutFiles();
        WriteBytes(LogPath(2),
                   second.substr(0, size) + std::string(zeros, '\0'));
        WriteBytes(LogPath(4), third);
        // The last byte of these batches is a zero itself.
        const auto whole =
            static_cast<int64_t>(size + std::min(zeros, size_t{1}));
        const int64_t end = whole == 2 * size_ ? 6 : 2 + whole / size_;
        ASSERT_NO_FATAL_FAILURE(ExpectRecovered(Values(0, end), end));
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

TEST_F(RecoveryGapsTest, MissingSegmentAboveTheRecoveryPointEndsTheLog) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    std::filesystem::remove(LogPath(2));
    ExpectRecovered(Values(0, 2), 2);
    EXPECT_THAT(CutFiles(), ElementsAre(CutFileName({.base_offset = 4})));
  }
}

TEST_F(RecoveryGapsTest, GapOverTheRecoveryPointEndsTheLogAtIt) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    std::filesystem::remove(LogPath(2));
    checkpoint_.recovery_point = 3;
    ExpectRecovered(Values(0, 2), 3);
    EXPECT_THAT(CutFiles(), ElementsAre(CutFileName({.base_offset = 4})));
    Recover();
    EXPECT_EQ(Append("new"), 3);
    Contents contents = Values(0, 2);
    contents[3] = "new";
    EXPECT_EQ(ReadAll(), contents);
  }
}

TEST_F(RecoveryGapsTest, DurablePartOfAGapOverTheRecoveryPointIsCorruption) {
  WriteSegments(CleanupPolicy::kDelete);
  std::filesystem::remove(LogPath(2));
  checkpoint_.recovery_point = 3;
  Recover();
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged,
                                     RecoveryAction::kCutAmbiguous));
  EXPECT_EQ(Finding().offset, 2);
  EXPECT_EQ(Finding().next_offset, 3);
  EXPECT_EQ(recovered_.report.findings.at(1).offset, 3);
  Append("new");
  EXPECT_THAT(log_->Read(2, {}),
              StatusIs(Code::kDataLoss, HasSubstr("readable offset is 3")));
}

TEST_F(RecoveryGapsTest, CompactionMayHaveLeftOutWhatWasDurable) {
  WriteSegments(CleanupPolicy::kCompact);
  std::filesystem::remove(LogPath(2));
  checkpoint_.recovery_point = 4;
  ExpectRecovered(AllBut(2, 4), 6);
  EXPECT_THAT(recovered_.report.findings, IsEmpty());
}

// Recovery does not look there; a reader does not take it for compaction.
TEST_F(RecoveryGapsTest, ZerosBeforeADurableSegmentAreNotReadOver) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    LosePages(2);
    checkpoint_.recovery_point = 4;
    ExpectRecovered(AllBut(2, 4), 6);
    EXPECT_THAT(log_->Read(2, {}), StatusIs(Code::kDataLoss));
    EXPECT_GT(std::filesystem::file_size(LogPath(2)), 0);
    EXPECT_THAT(CutFiles(), IsEmpty());
  }
}

// After damage to durable records, the records that were not durable are
// missing, too.
TEST_F(RecoveryGapsTest, DamageOverTheRecoveryPointEndsTheLogAtIt) {
  WriteAndCrash(4);
  checkpoint_.recovery_point = 2;
  Damage(0, 1);
  Damage(0, 2);
  const std::string bytes = Batches(0, 4);
  ExpectRecovered(Values(0, 1), 2);
  const auto kept = static_cast<size_t>(3 * size_);
  EXPECT_EQ(ReadBytes(LogPath(0)), bytes.substr(0, kept));
  ASSERT_THAT(CutFiles(), ElementsAre(CutFileName({.position = 3 * size_})));
  EXPECT_EQ(CutBytes(CutFiles()[0]), bytes.substr(kept));
  EXPECT_EQ(Append("new"), 2);
  EXPECT_EQ(ReadBytes(LogPath(0)), bytes.substr(0, kept));
  Contents contents = Values(0, 1);
  contents[2] = "new";
  EXPECT_EQ(ReadAll(), contents);
}

TEST_F(RecoveryGapsTest, WithoutACheckpointAGapBehindAWholeBatchIsKept) {
  WriteSegments(CleanupPolicy::kDelete);
  checkpoint_.origin = CheckpointOrigin::kStandIn;
  std::filesystem::remove(LogPath(2));
  ExpectRecovered(AllBut(2, 4), 6);
  EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
  EXPECT_EQ(Finding().offset, 2);
  EXPECT_EQ(Finding().next_offset, 4);
  EXPECT_THAT(log_->Read(2, {}),
              StatusIs(Code::kDataLoss, HasSubstr("readable offset is 4")));
  EXPECT_THAT(CutFiles(), IsEmpty());
}

TEST_F(RecoveryGapsTest, WithoutACheckpointAGapOfACompactedLogIsKeptAndNoted) {
  WriteSegments(CleanupPolicy::kCompact);
  checkpoint_.origin = CheckpointOrigin::kStandIn;
  std::filesystem::remove(LogPath(2));
  ExpectRecovered(AllBut(2, 4), 6);
  EXPECT_THAT(recovered_.report.findings, IsEmpty());
  EXPECT_THAT(recovered_.report.notes,
              ElementsAre(HasSubstr("missing behind segment 0")));
}

TEST_F(RecoveryGapsTest, WithoutACheckpointZerosStillEndTheLog) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    checkpoint_.origin = CheckpointOrigin::kStandIn;
    LosePages(2);
    ExpectRecovered(Values(0, 2), 2);
    EXPECT_THAT(CutFiles(), ElementsAre(CutFileName({.base_offset = 4})));
  }
}

TEST_F(RecoveryGapsTest, WithoutACheckpointPartOfABatchStillEndsTheLog) {
  for (CleanupPolicy policy : kPolicies) {
    WriteSegments(policy);
    checkpoint_.origin = CheckpointOrigin::kStandIn;
    CutAt(2, static_cast<size_t>(size_ + 30));
    ExpectRecovered(Values(0, 3), 3);
    EXPECT_THAT(CutFiles(),
                ElementsAre(CutFileName({.base_offset = 2, .position = size_}),
                            CutFileName({.base_offset = 4})));
  }
}

TEST_F(RecoveryGapsTest, DurableGapInsideASegmentLosesNoOtherRecord) {
  for (CleanupPolicy policy : kPolicies) {
    WriteCompacted(policy);
    checkpoint_.recovery_point = 6;
    ExpectRecovered(AllBut(2, 4), 6);
    if (policy == CleanupPolicy::kCompact) {
      EXPECT_THAT(recovered_.report.findings, IsEmpty());
      continue;
    }
    EXPECT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
    EXPECT_EQ(Finding().next_offset, 4);
    EXPECT_THAT(log_->Read(3, {}),
                StatusIs(Code::kDataLoss, HasSubstr("readable offset is 4")));
  }
}

TEST_F(RecoveryGapsTest, GapInsideASegmentAboveTheRecoveryPointIsCut) {
  for (CleanupPolicy policy : kPolicies) {
    for (int64_t recovery_point : {0, 2, 3}) {
      WriteCompacted(policy);
      checkpoint_.recovery_point = recovery_point;
      SCOPED_TRACE(recovery_point);
      ExpectRecovered(Values(0, 2), std::max<int64_t>(recovery_point, 2));
      EXPECT_THAT(CutFiles(),
                  ElementsAre(CutFileName({.position = 2 * size_})));
    }
  }
}

TEST_F(RecoveryGapsTest, WithoutACheckpointAGapInsideASegmentIsKept) {
  for (CleanupPolicy policy : kPolicies) {
    WriteCompacted(policy);
    checkpoint_.origin = CheckpointOrigin::kStandIn;
    ExpectRecovered(AllBut(2, 4), 6);
    EXPECT_THAT(CutFiles(), IsEmpty());
    EXPECT_EQ(recovered_.report.has_damage(), policy == CleanupPolicy::kDelete);
  }
}

// A batch whose own offset is damaged looks like one after a gap, until the
// batch that follows it is looked at.
TEST_F(RecoveryGapsTest, RaisedOffsetOfABatchIsNoGap) {
  for (CheckpointOrigin origin :
       {CheckpointOrigin::kOwn, CheckpointOrigin::kStandIn}) {
    Crash();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
    checkpoint_ = {};
    WriteAndCrash(4);
    checkpoint_ = {.recovery_point = 4, .origin = origin};
    const std::string sound = Batches(0, 4);
    for (size_t bit = 0; bit < 64; ++bit) {
      SCOPED_TRACE(bit);
      for (size_t batch : {1, 3}) {
        WriteBytes(LogPath(0),
                   WithBitFlipped(sound, batch * sound.size() / 4 * 8 + bit));
        ASSERT_THAT(TryRecover(), IsOk());
        ASSERT_THAT(Actions(), ElementsAre(RecoveryAction::kKeepDamaged));
        ASSERT_EQ(Finding().offset, static_cast<int64_t>(batch));
        ASSERT_EQ(Finding().next_offset, static_cast<int64_t>(batch) + 1);
      }
    }
  }
}

}  // namespace
}  // namespace varve
