// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/file_copy.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kMebibyte = int64_t{1} << 20;

class FileCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = files_.OpenDirectory(scratch_.path()).value();
  }

  std::unique_ptr<File> Open(const std::string& name) {
    return directory_->OpenFile(name, OpenMode::kRead).value();
  }

  int64_t BytesOnDisk(const std::string& name) {
    struct stat status;
    EXPECT_EQ(stat((scratch_ / name).c_str(), &status), 0);
    return int64_t{status.st_blocks} * 512;
  }

  ScratchDirectory scratch_;
  FaultyFileSystem files_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(FileCopyTest, CopyHasTheSameBytesOverPieces) {
  std::string bytes(static_cast<size_t>(2 * kMebibyte + 77), 'x');
  bytes[0] = 'a';
  bytes.back() = 'z';
  WriteBytes(scratch_ / "from", bytes);
  int64_t progress = 0;
  EXPECT_THAT(CopyBytes(*Open("from"), *directory_, "to",
                        [&](int64_t copied) { progress += copied; }),
              IsOkAndHolds(2 * kMebibyte + 77));
  EXPECT_EQ(ReadBytes(scratch_ / "to"), bytes);
  EXPECT_EQ(progress, 2 * kMebibyte + 77);
}

TEST_F(FileCopyTest, EmptyFileIsCopied) {
  WriteBytes(scratch_ / "from", "");
  EXPECT_THAT(CopyBytes(*Open("from"), *directory_, "to", nullptr),
              IsOkAndHolds(0));
  EXPECT_EQ(ReadBytes(scratch_ / "to"), "");
}

TEST_F(FileCopyTest, ZerosAreThereAndTakeNoRoom) {
  std::string bytes(static_cast<size_t>(8 * kMebibyte), '\0');
  bytes[0] = 'a';
  WriteBytes(scratch_ / "from", bytes);
  EXPECT_THAT(CopyBytes(*Open("from"), *directory_, "to", nullptr),
              IsOkAndHolds(8 * kMebibyte));
  EXPECT_EQ(ReadBytes(scratch_ / "to"), bytes);
  EXPECT_LE(BytesOnDisk("to"), 2 * kMebibyte);
}

TEST_F(FileCopyTest, EarlierFileIsReplacedAndWhoHasItOpenKeepsIt) {
  WriteBytes(scratch_ / "from", "new");
  WriteBytes(scratch_ / "to", "an earlier one, and longer");
  const std::unique_ptr<File> earlier = Open("to");
  EXPECT_THAT(CopyBytes(*Open("from"), *directory_, "to", nullptr),
              IsOkAndHolds(3));
  EXPECT_EQ(ReadBytes(scratch_ / "to"), "new");
  EXPECT_THAT(earlier->Size(), IsOkAndHolds(26));
}

TEST_F(FileCopyTest, FileThatIsCutMeanwhileIsCopiedUpToThere) {
  WriteBytes(scratch_ / "from", std::string(1000, 'x'));
  const std::unique_ptr<File> from = Open("from");
  files_.RunBefore("File::ReadAt", [&] {
    WriteBytes(scratch_ / "from", std::string(400, 'x'));
  });
  EXPECT_THAT(CopyBytes(*from, *directory_, "to", nullptr), IsOkAndHolds(400));
  EXPECT_EQ(ReadBytes(scratch_ / "to"), std::string(400, 'x'));
}

TEST_F(FileCopyTest, FullDiskIsAnErrorThatNamesTheCopy) {
  WriteBytes(scratch_ / "from", std::string(1000, 'x'));
  files_.LimitSpace(10);
  EXPECT_THAT(CopyBytes(*Open("from"), *directory_, "to", nullptr),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr(scratch_ / "to")));
}

TEST_F(FileCopyTest, FailedReadLeavesTheEarlierFileAndNothingElse) {
  WriteBytes(scratch_ / "from", "new");
  WriteBytes(scratch_ / "to", "an earlier one");
  files_.FailCallsNamed("File::ReadAt", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(CopyBytes(*Open("from"), *directory_, "to", nullptr),
              StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(ReadBytes(scratch_ / "to"), "an earlier one");
  EXPECT_THAT(NamesIn(scratch_.path()), ElementsAre("from", "to"));
}

TEST_F(FileCopyTest, WhatACrashLeftBesideItIsReplaced) {
  WriteBytes(scratch_ / "from", "new");
  WriteBytes(scratch_ / "to.tmp", "half of an earlier one");
  EXPECT_THAT(CopyBytes(*Open("from"), *directory_, "to", nullptr),
              IsOkAndHolds(3));
  EXPECT_EQ(ReadBytes(scratch_ / "to"), "new");
  EXPECT_THAT(NamesIn(scratch_.path()), ElementsAre("from", "to"));
}

TEST_F(FileCopyTest, FailedSyncIsAnError) {
  WriteBytes(scratch_ / "from", "x");
  files_.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_THAT(CopyBytes(*Open("from"), *directory_, "to", nullptr),
              StatusIs(absl::StatusCode::kUnknown));
}

}  // namespace
}  // namespace varve
