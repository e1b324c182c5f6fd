// SPDX-License-Identifier: Apache-2.0

// Committed offsets by the files of a store alone, as a crash, a power loss or
// a bad disk left them, before a writer has recovered them and after it.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/read_only/read_only_groups_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kOffsetsLog[] = "/__consumer_offsets-0/00000000000000000000.log";

class ReadOnlyGroupsRecoveryTest : public ReadOnlyGroupsFixture {
 protected:
  // The bytes of a log that has what `path` has, and a commit of "g" more.
  std::string LogWithCommit(const std::string& path, int64_t offset) {
    const std::string other = scratch_ / absl::StrCat("with-", offset);
    CopyStore(path, other);
    OpenWriter(other);
    Commit("g", 0, offset);
    CloseWriter();
    return ReadBytes(other + kOffsetsLog);
  }

  // Makes the store in `copy_`: this one after a power loss that left `records`
  // records in each partition, and what it knew of recovery points.
  void LosePower(int64_t records) {
    CloseWriter();
    CopyStore(path_, copy_);
    for (const char* partition : {"/orders-0", "/orders-1"}) {
      const std::string log =
          absl::StrCat(copy_, partition, "/00000000000000000000.log");
      const auto size = static_cast<int64_t>(fs::file_size(log));
      fs::resize_file(log, static_cast<uintmax_t>(records * (size / kRecords)));
      fs::remove(
          absl::StrCat(copy_, partition, "/sealed-00000000000000000000"));
    }
    for (const char* name :
         {"varve.checkpoint", "recovery-point-offset-checkpoint",
          ".kafka_cleanshutdown"}) {
      fs::remove(copy_ + "/" + name);
    }
  }

  const std::string copy_ = scratch_ / "copy";
};

// Whatever part of a commit is there, it is not taken for one, or for damage.
TEST_F(ReadOnlyGroupsRecoveryTest, CommitThatIsHalfWrittenIsNotThereYet) {
  Commit("g", 0, 1);
  CloseWriter();
  CopyStore(path_, copy_);
  const std::string before = ReadBytes(copy_ + kOffsetsLog);
  const std::string after = LogWithCommit(path_, 2);
  ASSERT_GT(after.size(), before.size());
  OpenReader(copy_);
  ASSERT_EQ(Seen(), 1);
  for (size_t size = before.size(); size < after.size(); ++size) {
    WriteBytes(copy_ + kOffsetsLog, after.substr(0, size));
    ASSERT_EQ(Seen(), 1) << size;
    ASSERT_THAT(reader_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
  }
  WriteBytes(copy_ + kOffsetsLog, after);
  EXPECT_EQ(Seen(), 2);
  EXPECT_THAT(said_, IsEmpty());
}

// As a recovery after a failed sync leaves it: another commit at the offset of
// one that was seen.
TEST_F(ReadOnlyGroupsRecoveryTest, CommitThatWasReplacedIsNoticed) {
  Commit("g", 0, 1);
  CloseWriter();
  CopyStore(path_, copy_);
  const std::string second = LogWithCommit(path_, 2);
  const std::string third = LogWithCommit(path_, 3);
  OpenReader(copy_);
  WriteBytes(copy_ + kOffsetsLog, second);
  ASSERT_EQ(Seen(), 2);
  WriteBytes(copy_ + kOffsetsLog, third);
  EXPECT_EQ(Seen(), 3);
  // The tail is gone again.
  WriteBytes(copy_ + kOffsetsLog, ReadBytes(path_ + kOffsetsLog));
  EXPECT_EQ(Seen(), 1);
}

TEST_F(ReadOnlyGroupsRecoveryTest,
       DamagedCommitIsReportedOnceAndTheOneBeforeCounts) {
  Commit("g", 0, 1);
  Commit("g", 0, 2);
  CloseWriter();
  const std::string bytes = ReadBytes(path_ + kOffsetsLog);
  WriteBytes(path_ + kOffsetsLog,
             WithBitFlipped(bytes, (bytes.size() - 3) * 8));
  OpenReader(path_);
  EXPECT_EQ(Seen(), 1);
  EXPECT_EQ(Seen(), 1);
  EXPECT_THAT(said_, ElementsAre(AllOf(
                         HasSubstr(path_ + "/__consumer_offsets-0: offset 1"),
                         HasSubstr("commits up to offset 1 are lost"),
                         HasSubstr("position"))));
}

TEST_F(ReadOnlyGroupsRecoveryTest, AfterAPowerLossOffsetsEndWhereTheRecordsDo) {
  Commit("g", 0, 8);
  Commit("g", 1, 5);
  LosePower(/*records=*/5);
  const auto before = FilesOf(copy_);
  OpenReader(copy_);
  EXPECT_EQ(Seen("g", 0), 5);
  EXPECT_EQ(Seen("g", 1), 5);
  const auto described = reader_->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ((*described)[0].committed.offset, 5);
  EXPECT_EQ((*described)[0].lag(), 0);
  EXPECT_EQ(FilesOf(copy_), before);
  // The next writer does the same, and writes it down.
  OpenWriter(copy_);
  EXPECT_EQ(writer_->CommittedOffset("g", "orders", 0)->offset, 5);
  EXPECT_EQ(Seen("g", 0), 5);
}

// Only the epoch shows that the records at those offsets are others now.
TEST_F(ReadOnlyGroupsRecoveryTest, OffsetOfRecordsThatWereReplacedIsSetBack) {
  Commit("g", 0, 8);
  LosePower(/*records=*/5);
  const std::string commits = ReadBytes(copy_ + kOffsetsLog);
  OpenWriter(copy_);
  Append(0, 10);
  CloseWriter();
  // The commit comes back as it was before it was set back.
  WriteBytes(copy_ + kOffsetsLog, commits);
  OpenReader(copy_);
  EXPECT_EQ(Seen("g", 0), 5);
  EXPECT_EQ((*reader_->DescribeGroup("g"))[0].lag(), 10);
}

}  // namespace
}  // namespace varve
