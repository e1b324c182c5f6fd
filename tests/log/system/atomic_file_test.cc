// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/atomic_file.h"

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Repeat = FaultyFileSystem::Repeat;

class AtomicFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<Directory> Open(FileSystem& files) {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        files.OpenDirectory(scratch_.path());
    EXPECT_THAT(directory, IsOk());
    return *std::move(directory);
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const std::vector<DirectoryEntry> entries = plain_->List().value();
    for (const DirectoryEntry& entry : entries) {
      names.push_back(entry.name);
    }
    return names;
  }

  ScratchDirectory scratch_;
  FaultyFileSystem files_;
  std::unique_ptr<Directory> plain_ = Open(*FileSystem::Posix());
  std::unique_ptr<Directory> directory_ = Open(files_);
};

TEST_F(AtomicFileTest, ReplacedFileHasTheNewContentsAlone) {
  ASSERT_THAT(ReplaceFile(*directory_, "a", "the first contents"), IsOk());
  ASSERT_THAT(ReplaceFile(*directory_, "a", "short"), IsOk());
  EXPECT_THAT(ReadWholeFile(*directory_, "a", 5), IsOkAndHolds("short"));
  EXPECT_THAT(Names(), ElementsAre("a"));
  ASSERT_THAT(ReplaceFile(*directory_, "a", ""), IsOk());
  EXPECT_THAT(ReadWholeFile(*directory_, "a", 5), IsOkAndHolds(""));
}

TEST_F(AtomicFileTest, ContentsAreSyncedBeforeTheRenameAndItIsAfter) {
  files_.ForgetCalls();
  ASSERT_THAT(ReplaceFile(*directory_, "a", "x"), IsOk());
  const std::string tmp = scratch_ / "a.tmp";
  EXPECT_THAT(files_.calls(),
              ElementsAre("Directory::OpenFile " + tmp, "File::Truncate " + tmp,
                          "File::WriteAt " + tmp, "File::Sync " + tmp,
                          "Directory::Rename " + tmp,
                          "Directory::Sync " + scratch_.path()));
}

TEST_F(AtomicFileTest, EveryFailureLeavesTheOldOrTheNewContents) {
  for (int64_t i = 0;; ++i) {
    ASSERT_THAT(ReplaceFile(*plain_, "a", "old"), IsOk());
    files_.StopFailing();
    files_.ForgetCalls();
    files_.FailCall(i, ENOSPC, Repeat::kOnce);
    const absl::Status status = ReplaceFile(*directory_, "a", "new");
    if (files_.call_count() <= i) {
      EXPECT_THAT(status, IsOk());
      break;
    }
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted)) << i;
    const bool renamed = i == 5;  // The sync of the directory.
    EXPECT_THAT(ReadWholeFile(*plain_, "a", 10),
                IsOkAndHolds(renamed ? "new" : "old"))
        << i;
    EXPECT_THAT(Names(), ElementsAre("a")) << i;
  }
}

TEST_F(AtomicFileTest, TemporaryFileOfACrashIsWrittenOver) {
  ASSERT_THAT(ReplaceFile(*plain_, "a.tmp", "left by a crash, and longer"),
              IsOk());
  ASSERT_THAT(ReplaceFile(*directory_, "a", "new"), IsOk());
  EXPECT_THAT(ReadWholeFile(*plain_, "a", 10), IsOkAndHolds("new"));
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_F(AtomicFileTest, MissingFileIsNotFound) {
  EXPECT_THAT(ReadWholeFile(*directory_, "a", 10),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(AtomicFileTest, FileAboveTheLimitIsDamage) {
  ASSERT_THAT(ReplaceFile(*directory_, "a", "123456"), IsOk());
  EXPECT_THAT(ReadWholeFile(*directory_, "a", 5),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr(scratch_ / "a: it has 6 bytes")));
}

}  // namespace
}  // namespace varve
