// SPDX-License-Identifier: Apache-2.0

// What recovery, appends and retention make of the sidecars that they find, or
// miss (log/FORMAT.md, section 18, invariants I14 and I15).

#include <cstddef>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/log/segment/sidecar_fixture.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/recovery/recovery_action.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/segment/segment_sidecar.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SidecarTrustTest : public SidecarFixture {
 protected:
  void Write(const SegmentSidecar& sidecar) {
    WriteBytes(SidecarPath(sidecar.base_offset), sidecar.ToText());
  }
};

TEST_F(SidecarTrustTest, RecoveryMakesThemAgain) {
  Fill(5);
  Crash();
  Recover();
  EXPECT_EQ(Read(0), Expected(0));
  EXPECT_EQ(Read(3), Expected(3));
  EXPECT_THAT(recovered_.report.notes, IsEmpty());
}

TEST_F(SidecarTrustTest, RecoveryThatCutsReplacesThoseItCuts) {
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

TEST_F(SidecarTrustTest, SegmentWithDamageThatIsKeptLosesIt) {
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

TEST_F(SidecarTrustTest, DamagedOneIsMadeAgainByRecoveryAndReported) {
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
TEST_F(SidecarTrustTest, HeaderDamagedBeforeARecoveryStaysDamaged) {
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

TEST_F(SidecarTrustTest, HeaderDamagedBeforeAnAppendStaysDamaged) {
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

TEST_F(SidecarTrustTest, OneOfAnotherLengthIsNotContinued) {
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

TEST_F(SidecarTrustTest, RetentionTakesTheTimestampFromIt) {
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

TEST_F(SidecarTrustTest, RetentionDoesNotBelieveOneOfAnotherLength) {
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

TEST_F(SidecarTrustTest, NoneIsNeeded) {
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
TEST_F(SidecarTrustTest, EmptiedTimeIndexOfAnOpenedSegmentIsSealed) {
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
