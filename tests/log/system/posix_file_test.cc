// SPDX-License-Identifier: Apache-2.0

// A file of the disk: its bytes and blocks, its mappings, its lock.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/system/posix_file_system_fixture.h"
#include "varve/log/system/block_allocation.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

using Code = absl::StatusCode;

using PosixFileTest = PosixFileSystemFixture;

TEST_F(PosixFileTest, BytesWrittenAreRead) {
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

TEST_F(PosixFileTest, ErrorOfAReadHasPathCallAndPosition) {
  std::string out(4, '?');
  EXPECT_THAT(Open("a")->ReadAt(-1, absl::MakeSpan(out)),
              StatusIs(Code::kInvalidArgument,
                       AllOf(HasSubstr(scratch_ / "a"),
                             HasSubstr("pread of 4 bytes at position -1"))));
}

TEST_F(PosixFileTest, WriteToAFileOpenForReadingFails) {
  Open("a");
  const std::unique_ptr<File> file = Open("a", OpenMode::kRead);
  EXPECT_FALSE(file->WriteAt(0, "x").ok());
  EXPECT_FALSE(file->Allocate(0, 4096).ok());
  EXPECT_THAT(file->Size(), IsOkAndHolds(0));
}

TEST_F(PosixFileTest, AllocatedBytesAreZeroAndHaveBlocks) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(0, "abc"), IsOk());
  ASSERT_THAT(file->Allocate(3, 70000), IsOk());
  EXPECT_EQ(Contents(*file), "abc" + std::string(69997, '\0'));
  struct stat status;
  ASSERT_EQ(stat((scratch_ / "a").c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 70000);
  EXPECT_THAT(file->Allocate(70000, 70000), IsOk());
}

TEST_F(PosixFileTest, AllocateElsewhereThanAtTheEndIsRefused) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(0, "abc"), IsOk());
  for (const auto& [begin, end] :
       {std::pair{0, 10}, {2, 10}, {4, 10}, {3, 2}}) {
    EXPECT_THAT(file->Allocate(begin, end), StatusIs(Code::kInvalidArgument));
  }
  EXPECT_EQ(Contents(*file), "abc");
}

TEST_F(PosixFileTest, AllocationByWritingZerosDoesTheSame) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(0, "abc"), IsOk());
  const int descriptor = open((scratch_ / "a").c_str(), O_RDWR);
  EXPECT_EQ(AllocateByWriting(descriptor, 3, 10001), 0);
  close(descriptor);
  EXPECT_EQ(Contents(*file), "abc" + std::string(9998, '\0'));
}

TEST_F(PosixFileTest, FileSizeLimitIsAnErrorAndNoSignal) {
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

TEST_F(PosixFileTest, FullDiskLeavesTheOldSizeAndWorksAgain) {
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

TEST_F(PosixFileTest, MappingIsTheFile) {
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

TEST_F(PosixFileTest, MappingOutlivesItsFile) {
  std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->WriteAt(0, "abc"), IsOk());
  absl::StatusOr<std::unique_ptr<Mapping>> mapping =
      file->Map(3, MapAccess::kReadOnly);
  ASSERT_THAT(mapping, IsOk());
  file.reset();
  ASSERT_THAT(directory_->RemoveFile("a"), IsOk());
  EXPECT_EQ(std::string_view((*mapping)->data(), 3), "abc");
}

TEST_F(PosixFileTest, MappingOfNothingIsRefused) {
  EXPECT_THAT(Open("a")->Map(0, MapAccess::kReadOnly),
              StatusIs(Code::kInvalidArgument, HasSubstr("mmap")));
}

using PosixFileDeathTest = PosixFileTest;

TEST_F(PosixFileDeathTest, StoreIntoAReadOnlyMappingFaults) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->Allocate(0, 4096), IsOk());
  absl::StatusOr<std::unique_ptr<Mapping>> mapping =
      file->Map(4096, MapAccess::kReadWrite);
  ASSERT_THAT(mapping, IsOk());
  ASSERT_THAT((*mapping)->ProtectReadOnly(), IsOk());
  volatile char* const first = (*mapping)->data();
  EXPECT_DEATH(*first = 'x', "");
}

TEST_F(PosixFileTest, LockConflictsWithAnotherOpenFileOfThisProcess) {
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

TEST_F(PosixFileTest, LockConflictsWithThatOfAJavaProcess) {
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

TEST_F(PosixFileTest, JavaProcessIsKeptOutByTheLock) {
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

}  // namespace
}  // namespace varve
