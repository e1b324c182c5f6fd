// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/sidecar_verifier.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/damaged_partition_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/segment_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A cleanly closed log of two segments of four records each, in which offsets
// may be left out, so that only a sidecar can find the damage, not continuity.
class SidecarVerifierTest : public DamagedPartitionFixture {
 protected:
  void SetUp() override {
    config_.cleanup_policy = CleanupPolicy::kCompact;
    config_.index_interval_bytes = 0;
    Recover();
    AppendMany(1);
    size_ = BatchSize();
    config_.segment_bytes = 4 * size_;
    ASSERT_THAT(log_->SetConfig(config_), IsOk());
    AppendMany(7);
    CloseCleanly();
    auto directory = files_.OpenDirectory(path_);
    sidecar_ = ReadSidecar(**directory, 0).value();
  }

  std::string PathTo(const std::string& name) const {
    return path_ + "/" + name;
  }
  void Write(const SegmentSidecar& sidecar) {
    WriteBytes(PathTo(sidecar_name_), sidecar.ToText());
  }
  std::vector<std::string> Findings(FindingSeverity severity) {
    auto directory = files_.OpenDirectory(path_);
    auto result =
        VerifyPartition(**directory, {.checkpoint = checkpoint_,
                                      .continuity = ContinuityOf(config_),
                                      .last_writer = last_writer_});
    EXPECT_THAT(result, IsOk());
    std::vector<std::string> found;
    for (const VerifyFinding& finding : result->findings) {
      if (finding.severity == severity) found.push_back(finding.ToString());
    }
    return found;
  }
  std::vector<std::string> AllDamage() {
    return Findings(FindingSeverity::kDamage);
  }
  void ExpectAllReadable() {
    OpenClean();
    EXPECT_EQ(ReadAll(), Values(0, 8));
    CloseCleanly();
  }

  const std::string sidecar_name_ = SidecarFileName(0);
  const std::string index_name_ = SegmentFileName(0, SegmentFileKind::kIndex);
  SegmentSidecar sidecar_;
  LastWriter last_writer_ = LastWriter::kClosedCleanly;
};

TEST_F(SidecarVerifierTest, SoundSegmentsHaveNoFinding) {
  EXPECT_THAT(AllDamage(), IsEmpty());
}

TEST_F(SidecarVerifierTest, EachFieldThatDiffersIsOneFinding) {
  struct Case {
    SegmentSidecar sidecar = {};
    std::string file = {};
    std::string text = {};
  };
  std::vector<Case> cases(6, {.sidecar = sidecar_, .file = "0.log: "});
  cases[0].sidecar.size_bytes += 1;
  cases[0].text = "the file had another size when it was sealed";
  cases[1].sidecar.next_offset = 9;
  cases[1].text = "expected next offset 9, found next offset 4";
  cases[2].sidecar.max_timestamp_ms = 7;
  cases[2].text = "expected 7 ms, found 1700000000000 ms";
  cases[3].sidecar.headers_crc ^= 1;
  cases[3].text = "the headers of the batches were others";
  cases[4].sidecar.index_crc = *sidecar_.index_crc ^ 1;
  cases[4].text = "the index was another";
  cases[4].file = "0.index: ";
  cases[5].sidecar.time_index_crc = *sidecar_.time_index_crc ^ 1;
  cases[5].text = "the index was another";
  cases[5].file = "0.timeindex: ";
  for (const Case& each : cases) {
    Write(each.sidecar);
    EXPECT_THAT(AllDamage(),
                ElementsAre(AllOf(HasSubstr(each.file), HasSubstr(each.text),
                                  HasSubstr("(" + sidecar_name_ + ")"))));
  }
  ExpectAllReadable();
}

TEST_F(SidecarVerifierTest, EveryBitOfASidecarCountsAndTheLogIsReadable) {
  const std::string sound = ReadBytes(PathTo(sidecar_name_));
  for (size_t bit = 0; bit < sound.size() * 8; ++bit) {
    WriteBytes(PathTo(sidecar_name_), WithBitFlipped(sound, bit));
    ASSERT_EQ(AllDamage().size(), 1) << "bit " << bit;
  }
  WriteBytes(PathTo(sidecar_name_), "");
  EXPECT_THAT(AllDamage(), ElementsAre(AllOf(HasSubstr(sidecar_name_),
                                             EndsWith("the file is empty"))));
  ExpectAllReadable();
}

TEST_F(SidecarVerifierTest, OneOfANewerVersionIsANote) {
  std::string text = "varve.sealed 3\n";
  absl::StrAppendFormat(&text, "crc32c %08x\n",
                        static_cast<uint32_t>(absl::ComputeCrc32c(text)));
  WriteBytes(PathTo(sidecar_name_), text);
  EXPECT_THAT(AllDamage(), IsEmpty());
  EXPECT_THAT(Findings(FindingSeverity::kNote),
              testing::Contains(HasSubstr("written by a newer varve")));
}

TEST_F(SidecarVerifierTest, EveryBitThatNoBatchCrcCoversCounts) {
  for (int64_t batch = 0; batch < 4; ++batch) {
    for (size_t bit = 0; bit < 21 * 8; ++bit) {
      const size_t at = static_cast<size_t>(batch * size_) * 8 + bit;
      FlipBit(0, at);
      ASSERT_THAT(AllDamage(), testing::Not(IsEmpty())) << at;
      FlipBit(0, at);
    }
  }
  EXPECT_THAT(AllDamage(), IsEmpty());
}

TEST_F(SidecarVerifierTest, OnlyTheSidecarKnowsAnOffsetThatMayBeLeftOut) {
  FlipBit(4, static_cast<size_t>(3 * size_ + 7) * 8 + 3);  // 7 becomes 15
  checkpoint_.recovery_point = 16;
  std::filesystem::remove(PathTo(SegmentFileName(4, SegmentFileKind::kIndex)));
  std::filesystem::remove(
      PathTo(SegmentFileName(4, SegmentFileKind::kTimeIndex)));
  EXPECT_THAT(AllDamage(),
              ElementsAre(HasSubstr("found next offset 16"),
                          HasSubstr("the headers of the batches")));
  std::filesystem::remove(PathTo(SidecarFileName(4)));
  EXPECT_THAT(AllDamage(), IsEmpty());
}

TEST_F(SidecarVerifierTest, IndexWithoutItsLastEntriesIsFound) {
  const std::string index = ReadBytes(PathTo(index_name_));
  ASSERT_GE(index.size(), 16);
  WriteBytes(PathTo(index_name_), index.substr(0, index.size() - 8));
  EXPECT_THAT(AllDamage(),
              ElementsAre(AllOf(HasSubstr("0.index: "),
                                HasSubstr("the index was another"))));
}

TEST_F(SidecarVerifierTest, MissingIndexIsNoDamage) {
  std::filesystem::remove(PathTo(index_name_));
  EXPECT_THAT(AllDamage(), IsEmpty());
}

TEST_F(SidecarVerifierTest, BesideABadBatchOnlyTheSizeIsJudged) {
  Damage(0, 1);
  EXPECT_EQ(AllDamage().size(), 1);
  CutAt(0, static_cast<size_t>(4 * size_ - 1));
  const std::vector<std::string> findings = AllDamage();
  EXPECT_THAT(findings, testing::Contains(HasSubstr("had another size")));
  EXPECT_THAT(
      findings,
      testing::Not(testing::Contains(HasSubstr("the headers of the batches"))));
}

TEST_F(SidecarVerifierTest, SegmentsThatAreNotSealedAreNotJudged) {
  const std::string sound = ReadBytes(PathTo(SidecarFileName(4)));
  WriteBytes(PathTo(SidecarFileName(4)), "");
  EXPECT_EQ(AllDamage().size(), 1);
  last_writer_ = LastWriter::kStillOpen;
  EXPECT_THAT(AllDamage(), IsEmpty());
  last_writer_ = LastWriter::kDied;
  EXPECT_THAT(AllDamage(), IsEmpty());
  WriteBytes(PathTo(SidecarFileName(4)), sound);
  WriteBytes(PathTo(sidecar_name_), "");
  EXPECT_EQ(AllDamage().size(), 1);
  checkpoint_.recovery_point = 3;
  EXPECT_THAT(AllDamage(), IsEmpty()) << "the next open scans it";
}

TEST_F(SidecarVerifierTest, OneWithoutASegmentIsANote) {
  WriteBytes(PathTo(SidecarFileName(99)), "");
  EXPECT_THAT(AllDamage(), IsEmpty());
  EXPECT_THAT(Findings(FindingSeverity::kNote),
              testing::Contains(
                  AllOf(HasSubstr(SidecarFileName(99)),
                        HasSubstr("there is no segment of that base offset"))));
}

}  // namespace
}  // namespace varve
