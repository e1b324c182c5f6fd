// SPDX-License-Identifier: Apache-2.0

// Names and directories of the disk: what is opened, made, listed, renamed and
// removed.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/system/posix_file_system_fixture.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Code = absl::StatusCode;

// -1 when there is nothing.
int ModeOf(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return -1;
  return static_cast<int>(status.st_mode & 07777);
}

using PosixFileSystemTest = PosixFileSystemFixture;

TEST_F(PosixFileSystemTest, MissingNamesAreNotFound) {
  EXPECT_THAT(directory_->OpenFile("a", OpenMode::kRead),
              StatusIs(Code::kNotFound, HasSubstr(scratch_ / "a")));
  EXPECT_THAT(directory_->OpenFile("a", OpenMode::kReadWrite),
              StatusIs(Code::kNotFound));
  EXPECT_THAT(directory_->OpenDirectory("a"), StatusIs(Code::kNotFound));
  EXPECT_THAT(directory_->RemoveFile("a"), StatusIs(Code::kNotFound));
  EXPECT_THAT(directory_->Rename("a", "b"), StatusIs(Code::kNotFound));
  EXPECT_THAT(FileSystem::Posix()->OpenDirectory(scratch_ / "a"),
              StatusIs(Code::kNotFound));
}

TEST_F(PosixFileSystemTest, FileThatNeedNotBeThereIsRemovedIfItIs) {
  EXPECT_THAT(directory_->RemoveFileIfThere("a"), IsOk());
  Open("a");
  EXPECT_THAT(directory_->RemoveFileIfThere("a"), IsOk());
  EXPECT_THAT(directory_->OpenFile("a", OpenMode::kRead),
              StatusIs(Code::kNotFound));
}

TEST_F(PosixFileSystemTest, CreateNewRefusesWhatIsThere) {
  Open("a", OpenMode::kCreateNew);
  EXPECT_THAT(directory_->OpenFile("a", OpenMode::kCreateNew),
              StatusIs(Code::kAlreadyExists));
  EXPECT_EQ(Open("a", OpenMode::kCreate)->path(), scratch_ / "a");
}

TEST_F(PosixFileSystemTest, LinksAreNotFollowed) {
  Open("target");
  ASSERT_EQ(symlink("target", (scratch_ / "link").c_str()), 0);
  ASSERT_EQ(symlink("nowhere", (scratch_ / "dangling").c_str()), 0);
  ASSERT_EQ(symlink(".", (scratch_ / "directory").c_str()), 0);
  for (std::string_view name : {"link", "dangling"}) {
    for (OpenMode mode :
         {OpenMode::kRead, OpenMode::kReadWrite, OpenMode::kCreate}) {
      EXPECT_THAT(
          directory_->OpenFile(name, mode),
          StatusIs(Code::kFailedPrecondition, HasSubstr("a symbolic link")));
    }
    EXPECT_THAT(directory_->OpenFile(name, OpenMode::kCreateNew),
                StatusIs(Code::kAlreadyExists));
  }
  EXPECT_EQ(ModeOf(scratch_ / "nowhere"), -1);
  EXPECT_THAT(directory_->OpenDirectory("directory"),
              StatusIs(Code::kFailedPrecondition));
}

TEST_F(PosixFileSystemTest, OnlyRegularFilesAreOpened) {
  ASSERT_EQ(mkfifo((scratch_ / "fifo").c_str(), 0600), 0);
  ASSERT_EQ(mkdir((scratch_ / "directory").c_str(), 0700), 0);
  for (std::string_view name : {"fifo", "directory"}) {
    for (OpenMode mode :
         {OpenMode::kRead, OpenMode::kReadWrite, OpenMode::kCreate}) {
      EXPECT_THAT(directory_->OpenFile(name, mode),
                  StatusIs(Code::kFailedPrecondition))
          << name;
    }
  }
  Open("file");
  EXPECT_THAT(directory_->OpenDirectory("file"),
              StatusIs(Code::kFailedPrecondition));
}

TEST_F(PosixFileSystemTest, NamesOfSeveralComponentsAreRefused) {
  const std::string_view kBad[] = {
      "", ".", "..", "a/b", "/a", "../a", std::string_view("a\0b", 3)};
  for (std::string_view name : kBad) {
    EXPECT_THAT(directory_->OpenFile(name, OpenMode::kCreate),
                StatusIs(Code::kInvalidArgument));
    EXPECT_THAT(directory_->CreateDirectory(name),
                StatusIs(Code::kInvalidArgument));
    EXPECT_THAT(directory_->OpenDirectory(name),
                StatusIs(Code::kInvalidArgument));
    EXPECT_THAT(directory_->RemoveFile(name), StatusIs(Code::kInvalidArgument));
    EXPECT_THAT(directory_->RemoveFileIfThere(name),
                StatusIs(Code::kInvalidArgument));
    EXPECT_THAT(directory_->RemoveDirectory(name),
                StatusIs(Code::kInvalidArgument));
    EXPECT_THAT(directory_->Rename("a", name),
                StatusIs(Code::kInvalidArgument));
    EXPECT_THAT(directory_->Rename(name, "a"),
                StatusIs(Code::kInvalidArgument));
  }
}

TEST_F(PosixFileSystemTest, ModesAreThoseOfTheOwnerWhateverTheUmask) {
  for (mode_t mask : {0, 022, 0277, 0777}) {
    const mode_t old = umask(mask);
    const std::string name = std::to_string(mask);
    Open("new" + name, OpenMode::kCreateNew);
    Open("file" + name, OpenMode::kCreate);
    const absl::Status created = directory_->CreateDirectory("dir" + name);
    const absl::Status deep = FileSystem::Posix()->CreateDirectories(
        scratch_ / ("deep" + name) + "/below");
    umask(old);
    EXPECT_THAT(created, IsOk());
    EXPECT_THAT(deep, IsOk());
    EXPECT_EQ(ModeOf(scratch_ / ("new" + name)), 0600);
    EXPECT_EQ(ModeOf(scratch_ / ("file" + name)), 0600);
    EXPECT_EQ(ModeOf(scratch_ / ("dir" + name)), 0700);
    EXPECT_EQ(ModeOf(scratch_ / ("deep" + name + "/below")), 0700);
  }
}

TEST_F(PosixFileSystemTest, ModeOfAFileThatWasThereStays) {
  Open("a");
  ASSERT_EQ(chmod((scratch_ / "a").c_str(), 0640), 0);
  Open("a", OpenMode::kCreate);
  EXPECT_EQ(ModeOf(scratch_ / "a"), 0640);
}

MATCHER_P2(IsEntry, name, kind, "") {
  return arg.name == name && arg.kind == kind;
}

TEST_F(PosixFileSystemTest, ListIsSortedAndKnowsKinds) {
  Open("b");
  Open(".a");
  ASSERT_THAT(directory_->CreateDirectory("c"), IsOk());
  ASSERT_EQ(symlink("b", (scratch_ / "link").c_str()), 0);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(directory_->List(),
                IsOkAndHolds(ElementsAre(IsEntry(".a", EntryKind::kFile),
                                         IsEntry("b", EntryKind::kFile),
                                         IsEntry("c", EntryKind::kDirectory),
                                         IsEntry("link", EntryKind::kOther))));
  }
}

TEST_F(PosixFileSystemTest, LineageIsTheSameByEveryPath) {
  ASSERT_THAT(directory_->CreateDirectory("a"), IsOk());
  std::filesystem::create_directory_symlink(scratch_ / "a", scratch_ / "link");
  const auto of_parent = directory_->Lineage();
  ASSERT_THAT(of_parent, IsOk());
  const auto lineage = OpenOrDie(scratch_ / "a")->Lineage();
  ASSERT_THAT(lineage, IsOk());
  ASSERT_EQ(lineage->size(), of_parent->size() + 1);
  EXPECT_FALSE(lineage->front() == of_parent->front());
  EXPECT_TRUE(std::equal(lineage->begin() + 1, lineage->end(),
                         of_parent->begin(), of_parent->end()));
  EXPECT_EQ(*OpenOrDie(scratch_ / "link")->Lineage(), *lineage);
  EXPECT_EQ(*OpenOrDie(scratch_ / "link/../a/.")->Lineage(), *lineage);
  EXPECT_EQ(OpenOrDie("/")->Lineage()->size(), size_t{1});
}

TEST_F(PosixFileSystemTest, RenameReplaces) {
  ASSERT_THAT(Open("a")->WriteAt(0, "new"), IsOk());
  ASSERT_THAT(Open("b")->WriteAt(0, "old one"), IsOk());
  ASSERT_THAT(directory_->Rename("a", "b"), IsOk());
  ASSERT_THAT(directory_->Sync(), IsOk());
  EXPECT_EQ(Contents(*Open("b")), "new");
  EXPECT_EQ(ModeOf(scratch_ / "a"), -1);
}

TEST_F(PosixFileSystemTest, DirectoryThatHoldsSomethingIsNotRemoved) {
  ASSERT_THAT(directory_->CreateDirectory("d"), IsOk());
  absl::StatusOr<std::unique_ptr<Directory>> inner =
      directory_->OpenDirectory("d");
  ASSERT_THAT(inner, IsOk());
  EXPECT_EQ((*inner)->path(), scratch_ / "d");
  ASSERT_THAT((*inner)->OpenFile("a", OpenMode::kCreate), IsOk());
  EXPECT_THAT(directory_->RemoveDirectory("d"),
              StatusIs(Code::kFailedPrecondition));
  ASSERT_THAT((*inner)->RemoveFile("a"), IsOk());
  EXPECT_THAT(directory_->RemoveDirectory("d"), IsOk());
  EXPECT_THAT(directory_->CreateDirectory("d"), IsOk());
  EXPECT_THAT(directory_->CreateDirectory("d"), StatusIs(Code::kAlreadyExists));
}

TEST_F(PosixFileSystemTest, MissingDirectoriesAboveAreCreated) {
  FileSystem& files = *FileSystem::Posix();
  const std::string path = scratch_ / "a//b/../b/c/";
  EXPECT_THAT(files.CreateDirectories(path), IsOk());
  EXPECT_THAT(files.CreateDirectories(path), IsOk());
  EXPECT_EQ(ModeOf(scratch_ / "a/b/c"), 0700);
  EXPECT_THAT(files.CreateDirectories(""), StatusIs(Code::kNotFound));
  EXPECT_THAT(files.CreateDirectories("/"), IsOk());
  EXPECT_THAT(files.CreateDirectories("."), IsOk());
}

TEST_F(PosixFileSystemTest, FileWhereADirectoryShouldBeIsRefused) {
  Open("a");
  for (const std::string& path : {scratch_ / "a", scratch_ / "a/b"}) {
    EXPECT_THAT(FileSystem::Posix()->CreateDirectories(path),
                StatusIs(Code::kFailedPrecondition));
    EXPECT_THAT(FileSystem::Posix()->OpenDirectory(path),
                StatusIs(Code::kFailedPrecondition));
  }
}

TEST_F(PosixFileSystemTest, LinksInThePathOfTheUserAreFollowed) {
  ASSERT_THAT(directory_->CreateDirectory("d"), IsOk());
  ASSERT_EQ(symlink("d", (scratch_ / "link").c_str()), 0);
  EXPECT_THAT(FileSystem::Posix()->CreateDirectories(scratch_ / "link/e"),
              IsOk());
  EXPECT_THAT(FileSystem::Posix()->OpenDirectory(scratch_ / "link/e"), IsOk());
  EXPECT_EQ(ModeOf(scratch_ / "d/e"), 0700);
}

}  // namespace
}  // namespace varve
