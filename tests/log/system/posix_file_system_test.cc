// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/system/block_allocation.h"
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

std::unique_ptr<Directory> OpenOrDie(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      FileSystem::Posix()->OpenDirectory(path);
  EXPECT_THAT(directory, IsOk());
  return *std::move(directory);
}

class PosixFileSystemTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> Open(std::string_view name,
                             OpenMode mode = OpenMode::kCreate) {
    absl::StatusOr<std::unique_ptr<File>> file =
        directory_->OpenFile(name, mode);
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }

  std::string Contents(File& file) {
    std::string bytes(100000, '?');
    const absl::StatusOr<size_t> count = file.ReadAt(0, absl::MakeSpan(bytes));
    EXPECT_THAT(count, IsOk());
    bytes.resize(*count);
    return bytes;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Directory> directory_ = OpenOrDie(scratch_.path());
};

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

TEST_F(PosixFileSystemTest, BytesWrittenAreRead) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(3, "hello"), IsOk());
  EXPECT_THAT(file->Size(), IsOkAndHolds(8));
  std::string out(4, '?');
  EXPECT_THAT(file->ReadAt(2, absl::MakeSpan(out)), IsOkAndHolds(4u));
  EXPECT_EQ(out, std::string_view("\0hel", 4));
  EXPECT_THAT(file->ReadAt(6, absl::MakeSpan(out)), IsOkAndHolds(2u));
  EXPECT_THAT(file->ReadAt(8, absl::MakeSpan(out)), IsOkAndHolds(0u));
  EXPECT_THAT(file->Sync(), IsOk());
}

TEST_F(PosixFileSystemTest, ErrorOfAReadHasPathCallAndPosition) {
  std::string out(4, '?');
  EXPECT_THAT(Open("a")->ReadAt(-1, absl::MakeSpan(out)),
              StatusIs(Code::kInvalidArgument,
                       AllOf(HasSubstr(scratch_ / "a"),
                             HasSubstr("pread of 4 bytes at position -1"))));
}

TEST_F(PosixFileSystemTest, WriteToAFileOpenForReadingFails) {
  Open("a");
  const std::unique_ptr<File> file = Open("a", OpenMode::kRead);
  EXPECT_FALSE(file->WriteAt(0, "x").ok());
  EXPECT_FALSE(file->Allocate(0, 4096).ok());
  EXPECT_THAT(file->Size(), IsOkAndHolds(0));
}

TEST_F(PosixFileSystemTest, AllocatedBytesAreZeroAndHaveBlocks) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(0, "abc"), IsOk());
  ASSERT_THAT(file->Allocate(3, 70000), IsOk());
  EXPECT_EQ(Contents(*file), "abc" + std::string(69997, '\0'));
  struct stat status;
  ASSERT_EQ(stat((scratch_ / "a").c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 70000);
  EXPECT_THAT(file->Allocate(70000, 70000), IsOk());
}

TEST_F(PosixFileSystemTest, AllocateElsewhereThanAtTheEndIsRefused) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(0, "abc"), IsOk());
  for (const auto& [begin, end] :
       {std::pair{0, 10}, {2, 10}, {4, 10}, {3, 2}}) {
    EXPECT_THAT(file->Allocate(begin, end), StatusIs(Code::kInvalidArgument));
  }
  EXPECT_EQ(Contents(*file), "abc");
}

TEST_F(PosixFileSystemTest, AllocationByWritingZerosDoesTheSame) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(0, "abc"), IsOk());
  const int descriptor = open((scratch_ / "a").c_str(), O_RDWR);
  EXPECT_EQ(AllocateByWriting(descriptor, 3, 10001), 0);
  close(descriptor);
  EXPECT_EQ(Contents(*file), "abc" + std::string(9998, '\0'));
}

TEST_F(PosixFileSystemTest, FileSizeLimitIsAnErrorAndNoSignal) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->Allocate(0, 4096), IsOk());
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit small = {.rlim_cur = 8192, .rlim_max = old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status allocated = file->Allocate(4096, 8193);
  const absl::Status written = file->WriteAt(8000, std::string(193, 'x'));
  const absl::Status overflow = file->WriteAt(INT64_MAX, "xy");
  const absl::Status grown = file->Truncate(8193);
  const absl::Status just_fits = file->Allocate(4096, 8192);
  const absl::Status cut = file->Truncate(100);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  EXPECT_THAT(allocated,
              StatusIs(Code::kResourceExhausted, HasSubstr("File too large")));
  EXPECT_THAT(written, StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(overflow, StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(grown, StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(just_fits, IsOk());
  EXPECT_THAT(cut, IsOk());
  EXPECT_THAT(file->Size(), IsOkAndHolds(100));
}

TEST_F(PosixFileSystemTest, FullDiskLeavesTheOldSizeAndWorksAgain) {
  const std::string disk = scratch_ / "disk";
  ASSERT_EQ(mkdir(disk.c_str(), 0700), 0);
  if (mount("varve-test", disk.c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "a small tmpfs cannot be mounted here: " << strerror(errno);
  }
  const absl::Cleanup unmount = [&] { umount2(disk.c_str(), MNT_DETACH); };
  const std::unique_ptr<Directory> full = OpenOrDie(disk);
  absl::StatusOr<std::unique_ptr<File>> file =
      full->OpenFile("a", OpenMode::kCreate);
  ASSERT_THAT(file, IsOk());
  ASSERT_THAT((*file)->Allocate(0, 8192), IsOk());
  EXPECT_THAT((*file)->Allocate(8192, 1 << 20),
              StatusIs(Code::kResourceExhausted));
  EXPECT_THAT((*file)->Size(), IsOkAndHolds(8192));
  const int descriptor = open((disk + "/a").c_str(), O_RDWR);
  EXPECT_EQ(AllocateByWriting(descriptor, 8192, 1 << 20), ENOSPC);
  close(descriptor);
  EXPECT_THAT((*file)->Size(), IsOkAndHolds(8192));
  EXPECT_THAT((*file)->Allocate(8192, 200 << 10), IsOk());
}

TEST_F(PosixFileSystemTest, MappingIsTheFile) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->Allocate(0, 8192), IsOk());
  absl::StatusOr<std::unique_ptr<Mapping>> mapping =
      file->Map(1 << 20, MapAccess::kReadWrite);  // More than the file has.
  ASSERT_THAT(mapping, IsOk());
  EXPECT_EQ((*mapping)->size(), size_t{1} << 20);
  std::memcpy((*mapping)->data() + 5000, "mapped", 6);
  ASSERT_THAT((*mapping)->ProtectReadOnly(), IsOk());
  EXPECT_EQ(Contents(*file).substr(5000, 6), "mapped");
  ASSERT_THAT(file->WriteAt(0, "written"), IsOk());
  EXPECT_EQ(std::string_view((*mapping)->data(), 7), "written");
}

TEST_F(PosixFileSystemTest, MappingOutlivesItsFile) {
  std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(0, "abc"), IsOk());
  absl::StatusOr<std::unique_ptr<Mapping>> mapping =
      file->Map(3, MapAccess::kReadOnly);
  ASSERT_THAT(mapping, IsOk());
  file.reset();
  ASSERT_THAT(directory_->RemoveFile("a"), IsOk());
  EXPECT_EQ(std::string_view((*mapping)->data(), 3), "abc");
}

TEST_F(PosixFileSystemTest, MappingOfNothingIsRefused) {
  EXPECT_THAT(Open("a")->Map(0, MapAccess::kReadOnly),
              StatusIs(Code::kInvalidArgument, HasSubstr("mmap")));
}

using PosixFileSystemDeathTest = PosixFileSystemTest;

TEST_F(PosixFileSystemDeathTest, StoreIntoAReadOnlyMappingFaults) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->Allocate(0, 4096), IsOk());
  absl::StatusOr<std::unique_ptr<Mapping>> mapping =
      file->Map(4096, MapAccess::kReadWrite);
  ASSERT_THAT(mapping, IsOk());
  ASSERT_THAT((*mapping)->ProtectReadOnly(), IsOk());
  volatile char* const first = (*mapping)->data();
  EXPECT_DEATH(*first = 'x', "");
}

TEST_F(PosixFileSystemTest, LockConflictsWithAnotherOpenFileOfThisProcess) {
  std::unique_ptr<File> first = Open(".lock");
  const std::unique_ptr<File> second = Open(".lock");
  ASSERT_THAT(first->Lock(), IsOk());
  EXPECT_THAT(first->Lock(), IsOk());
  EXPECT_THAT(second->Lock(), StatusIs(Code::kFailedPrecondition,
                                       HasSubstr(scratch_ / ".lock")));
  Open(".lock");  // Closing another one does not drop it.
  EXPECT_THAT(second->Lock(), StatusIs(Code::kFailedPrecondition));
  first.reset();
  EXPECT_THAT(second->Lock(), IsOk());
}

// Kafka locks through Java, which takes a POSIX lock on the whole file.
bool TakesJavaLock(const std::string& path, int& descriptor) {
  descriptor = open(path.c_str(), O_RDWR);
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return fcntl(descriptor, F_SETLK, &whole) == 0;
}

TEST_F(PosixFileSystemTest, LockConflictsWithThatOfAJavaProcess) {
  const std::unique_ptr<File> file = Open(".lock");
  int to_child[2];
  int to_parent[2];
  ASSERT_EQ(pipe(to_child) | pipe(to_parent), 0);
  char byte = 0;
  const pid_t child = fork();
  if (child == 0) {
    int descriptor;
    byte = TakesJavaLock(scratch_ / ".lock", descriptor) ? 'y' : 'n';
    const bool told = write(to_parent[1], &byte, 1) == 1;
    _exit(told && read(to_child[0], &byte, 1) == 1 ? 0 : 1);
  }
  ASSERT_GT(child, 0);
  ASSERT_EQ(read(to_parent[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_THAT(file->Lock(), StatusIs(Code::kFailedPrecondition));
  ASSERT_EQ(write(to_child[1], "q", 1), 1);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_THAT(file->Lock(), IsOk());
  for (int end : {to_child[0], to_child[1], to_parent[0], to_parent[1]}) {
    close(end);
  }
}

TEST_F(PosixFileSystemTest, JavaProcessIsKeptOutByTheLock) {
  const std::unique_ptr<File> file = Open(".lock");
  ASSERT_THAT(file->Lock(), IsOk());
  const pid_t child = fork();
  if (child == 0) {
    int descriptor;
    _exit(TakesJavaLock(scratch_ / ".lock", descriptor) ? 1 : 0);
  }
  ASSERT_GT(child, 0);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
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
