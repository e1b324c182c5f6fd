// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/command_runner.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DumpLogTest : public testing::Test {
 protected:
  void SetUp() override {
    runner_.CreateTopic("t", {"--config", "index.interval.bytes=0"});
    runner_.Produce("t", "first\nsecond line\n");
    runner_.Produce("t", "third\n");
    partition_ = runner_.data() + "/t-0";
    log_ = SegmentPath(partition_, ".log");
  }

  CommandRunner runner_;
  std::string partition_;
  std::string log_;
};

TEST_F(DumpLogTest, BatchesAreListedWithTheirFields) {
  const CommandResult result = runner_.Varve({"dump-log", log_});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr(log_), HasSubstr("batch position=0 size="),
                    HasSubstr("base_offset=0 last_offset=1 records=2"),
                    HasSubstr("base_offset=2"), HasSubstr("codec=none"),
                    HasSubstr("next_offset=3"), Not(HasSubstr("second"))));
}

TEST_F(DumpLogTest, RecordsAreListedOnRequest) {
  const CommandResult result = runner_.Varve({"dump-log", "--records", log_});
  EXPECT_THAT(result.out, AllOf(HasSubstr("record offset=0"),
                                HasSubstr("key=null value=first"),
                                HasSubstr("value=\"second line\"")));
}

TEST_F(DumpLogTest, JsonIsAnObjectALine) {
  const CommandResult result =
      runner_.Varve({"dump-log", "--records", "--json", log_});
  EXPECT_THAT(result.out, AllOf(HasSubstr(R"("kind":"batch","position":0)"),
                                HasSubstr(R"("kind":"record","offset":0)"),
                                HasSubstr(R"("value":"second line")")));
}

TEST_F(DumpLogTest, SaysWhereItIsDamagedAndGoesOn) {
  FlipBit(log_, 70, 3);
  const CommandResult result = runner_.Varve({"dump-log", log_});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr("DAMAGE position=0"), HasSubstr("checksum"),
            HasSubstr("goes on at position"), HasSubstr("base_offset=2")));
}

TEST_F(DumpLogTest, EveryTruncationIsSurvived) {
  const std::string bytes = ReadFileOrDie(log_);
  const std::string cut = runner_.PathTo("cut-00000000000000000000-0");
  for (size_t size = 0; size <= bytes.size(); size += 7) {
    WriteFileOrDie(cut, bytes.substr(0, size));
    EXPECT_LE(runner_.Varve({"dump-log", "--records", cut}).exit_status, 1);
  }
}

TEST_F(DumpLogTest, SegmentThatABackupHasPutAsideIsShownAsOne) {
  const std::string aside = runner_.PathTo("displaced-00000000000000000000");
  WriteFileOrDie(aside, ReadFileOrDie(log_));
  const CommandResult result = runner_.Varve({"dump-log", aside});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("base_offset=2"));
}

TEST_F(DumpLogTest, ZerosBehindTheLastBatchAreNoDamage) {
  WriteFileOrDie(log_, ReadFileOrDie(log_) + std::string(5'000'000, '\0'));
  const CommandResult result = runner_.Varve({"dump-log", log_});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.out, HasSubstr("size=5000000"));
}

TEST_F(DumpLogTest, BytesFarBehindZerosAreDamage) {
  WriteFileOrDie(log_,
                 ReadFileOrDie(log_) + std::string(9'000'000, '\0') + "x");
  const CommandResult result = runner_.Varve({"dump-log", log_});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out, HasSubstr("no whole batch stands behind it"));
}

TEST_F(DumpLogTest, EveryFileOfAPartitionCanBeDumped) {
  const CommandResult result =
      runner_.Varve({"dump-log", SegmentPath(partition_, ".index"),
                     SegmentPath(partition_, ".timeindex"),
                     partition_ + "/leader-epoch-checkpoint",
                     partition_ + "/partition.metadata",
                     runner_.data() + "/recovery-point-offset-checkpoint"});
  EXPECT_EQ(result.exit_status, 0) << result.out << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("epoch epoch=0 start_offset=0"),
                                HasSubstr("metadata topic_id="),
                                HasSubstr("entry timestamp="),
                                HasSubstr("checkpoint topic=t partition=0")));
}

TEST_F(DumpLogTest, GarbageInSmallFilesIsDamage) {
  for (const std::string& path :
       {partition_ + "/leader-epoch-checkpoint",
        partition_ + "/partition.metadata", SegmentPath(partition_, ".index"),
        SegmentPath(partition_, ".timeindex")}) {
    WriteFileOrDie(path, "garbage");
    const CommandResult result = runner_.Varve({"dump-log", path});
    EXPECT_EQ(result.exit_status, 1) << path;
    EXPECT_THAT(result.out, HasSubstr("DAMAGE")) << path;
  }
}

TEST_F(DumpLogTest, SidecarIsShown) {
  const CommandResult result =
      runner_.Varve({"dump-log", partition_ + "/sealed-00000000000000000000"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("sealed base_offset=0 size="),
                                HasSubstr("next_offset=3 largest_timestamp="),
                                HasSubstr("timeindex=")));
}

TEST_F(DumpLogTest, DamagedSidecarIsDamage) {
  const std::string path = partition_ + "/sealed-00000000000000000000";
  FlipBit(path, 20, 1);
  const CommandResult result = runner_.Varve({"dump-log", path});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.out, HasSubstr("the checksum in the last line"));
}

}  // namespace
}  // namespace varve
