// SPDX-License-Identifier: Apache-2.0

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/damaged_partition_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "varve/log/recovery/partition_recovery.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

using Repeat = FaultyFileSystem::Repeat;

// Recovery that fails at any of its calls and is done again later gives the
// same result as an uninterrupted one.
class InterruptedRecoveryTest : public DamagedPartitionFixture {
 protected:
  using Segments = std::map<std::string, std::string>;

  Segments SegmentFiles() const {
    Segments segments;
    for (const char* prefix : {"0", "sealed"}) {
      for (const std::string& name : NamesIn(path_, prefix)) {
        segments[name] = ReadBytes(path_ + "/" + name);
      }
    }
    return segments;
  }
  // Recovers the saved state with call `number` failing. Returns whether there
  // is such a call.
  bool RecoverWithFault(int64_t number, int error, Repeat repeat) {
    Restore();
    files_.StopFailing();
    files_.ForgetCalls();
    files_.FailCall(number, error, repeat);
    // It may fail, or give up a part; what counts is the next one.
    TryRecover().IgnoreError();
    const bool failed = files_.call_count() > number;
    files_.StopFailing();
    return failed;
  }
  void ExpectSameWhereverItIsInterrupted() {
    Save();
    Recover();
    const Contents contents = ReadAll();
    const std::vector<std::string> cut_files = CutFiles();
    const Segments segments = SegmentFiles();
    for (int error : {EIO, ENOSPC}) {
      for (Repeat repeat : {Repeat::kOnce, Repeat::kForever}) {
        for (int64_t i = 0; RecoverWithFault(i, error, repeat); ++i) {
          SCOPED_TRACE(testing::Message()
                       << files_.calls()[i] << ": " << error);
          ASSERT_NO_FATAL_FAILURE(Recover());
          ASSERT_EQ(ReadAll(), contents);
          ASSERT_EQ(SegmentFiles(), segments);
          // A copy is not made twice; half of one may be left.
          ASSERT_LE(CutFiles().size(), cut_files.size() + 1);
          ASSERT_THAT(recovered_.read_only, IsOk());
        }
      }
    }
  }
};

TEST_F(InterruptedRecoveryTest, TornTail) {
  WriteAndCrash(4, /*in_segment=*/2);
  CutAt(2, static_cast<size_t>(size_ + 30));
  ExpectSameWhereverItIsInterrupted();
}

TEST_F(InterruptedRecoveryTest, AmbiguousDamageWithLaterSegments) {
  WriteAndCrash(6, /*in_segment=*/2);
  Damage(0, 1);
  ExpectSameWhereverItIsInterrupted();
}

TEST_F(InterruptedRecoveryTest, JunkBehindASegmentThatIsWhole) {
  WriteAndCrash(4, /*in_segment=*/2);
  WriteBytes(LogPath(0), ReadBytes(LogPath(0)) + "junk");
  ExpectSameWhereverItIsInterrupted();
}

TEST_F(InterruptedRecoveryTest, CorruptionBelowTheRecoveryPoint) {
  WriteAndCrash(4, /*in_segment=*/2);
  checkpoint_.recovery_point = 3;
  Damage(2, 2);
  ExpectSameWhereverItIsInterrupted();
}

TEST_F(InterruptedRecoveryTest, ZerosBetweenSegments) {
  WriteAndCrash(6, /*in_segment=*/2);
  WriteBytes(LogPath(2), std::string(500, '\0'));
  ExpectSameWhereverItIsInterrupted();
}

TEST_F(InterruptedRecoveryTest, ZerosInEverySegmentBehind) {
  WriteAndCrash(8, /*in_segment=*/2);
  for (int64_t base_offset : {2, 4, 6}) {
    WriteBytes(LogPath(base_offset), std::string(500, '\0'));
  }
  ExpectSameWhereverItIsInterrupted();
}

TEST_F(InterruptedRecoveryTest, GapOverTheRecoveryPoint) {
  WriteAndCrash(8, /*in_segment=*/2);
  std::filesystem::remove(LogPath(2));
  checkpoint_.recovery_point = 3;
  ExpectSameWhereverItIsInterrupted();
}

TEST_F(InterruptedRecoveryTest, DamageOverTheRecoveryPoint) {
  WriteAndCrash(4);
  checkpoint_.recovery_point = 2;
  Damage(0, 1);
  Damage(0, 2);
  ExpectSameWhereverItIsInterrupted();
}

TEST_F(InterruptedRecoveryTest, LostEpochs) {
  WriteAndCrash(4, /*in_segment=*/2);
  std::filesystem::remove(path_ + "/leader-epoch-checkpoint");
  ExpectSameWhereverItIsInterrupted();
}

}  // namespace
}  // namespace varve
