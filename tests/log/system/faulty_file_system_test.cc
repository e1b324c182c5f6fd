// SPDX-License-Identifier: Apache-2.0

#include "tests/fixture/faulty_file_system.h"

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

class FaultyFileSystemTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> Open(const std::string& name) {
    absl::StatusOr<std::unique_ptr<File>> file =
        (*directory_)->OpenFile(name, OpenMode::kCreate);
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }

  ScratchDirectory scratch_;
  FaultyFileSystem files_;
  absl::StatusOr<std::unique_ptr<Directory>> directory_ =
      files_.OpenDirectory(scratch_.path());
};

TEST_F(FaultyFileSystemTest, CallsAreRecorded) {
  EXPECT_THAT(Open("a")->Sync(), IsOk());
  EXPECT_EQ(files_.call_count(), 3);
  EXPECT_THAT(files_.calls(),
              ElementsAre("FileSystem::OpenDirectory " + scratch_.path(),
                          "Directory::OpenFile " + (scratch_ / "a"),
                          "File::Sync " + (scratch_ / "a")));
}

TEST_F(FaultyFileSystemTest, CallOfANumberFailsOnceOrFromThenOn) {
  const std::unique_ptr<File> file = Open("a");
  files_.FailCall(3, EIO, Repeat::kOnce);
  files_.FailCall(5, ENOSPC, Repeat::kForever);
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_THAT(file->Sync(), StatusIs(Code::kUnknown));
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_THAT(file->WriteAt(0, "x"), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(file->Size(), StatusIs(Code::kResourceExhausted));
  files_.StopFailing();
  EXPECT_THAT(file->Size(), IsOkAndHolds(0));
}

TEST_F(FaultyFileSystemTest, CallsOfANameFailOnceOrAlways) {
  const std::unique_ptr<File> a = Open("a");
  const std::unique_ptr<File> b = Open("b");
  files_.FailCallsNamed("File::Sync " + b->path(), EIO, Repeat::kForever);
  files_.FailCallsNamed("File::Sync", ENOMEM, Repeat::kOnce);
  EXPECT_THAT(b->Sync(), StatusIs(Code::kUnknown));
  EXPECT_THAT(a->Sync(), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(a->Sync(), IsOk());
  EXPECT_THAT(b->Sync(), StatusIs(Code::kUnknown));
}

TEST_F(FaultyFileSystemTest, FullDiskHealsWhenSomethingIsRemoved) {
  const std::unique_ptr<File> a = Open("a");
  const std::unique_ptr<File> b = Open("b");
  files_.LimitSpace(10000);
  EXPECT_THAT(a->Allocate(0, 8192), IsOk());
  EXPECT_THAT(b->Allocate(0, 4096), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(b->WriteAt(0, std::string(1808, 'x')), IsOk());
  EXPECT_THAT(b->WriteAt(0, std::string(1809, 'x')),
              StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(b->WriteAt(0, std::string(1808, 'y')), IsOk());
  EXPECT_THAT(a->Truncate(8191), IsOk());
  EXPECT_THAT(b->WriteAt(1808, "x"), IsOk());
  EXPECT_THAT((*directory_)->RemoveFile("a"), IsOk());
  EXPECT_THAT(b->Allocate(1809, 10000), IsOk());
  EXPECT_THAT(b->Allocate(10000, 10001), StatusIs(Code::kResourceExhausted));
  files_.UnlimitSpace();
  EXPECT_THAT(b->Allocate(10000, 10001), IsOk());
}

TEST_F(FaultyFileSystemTest, MappingsAreInTheSeamToo) {
  const std::unique_ptr<File> file = Open("a");
  ASSERT_THAT(file->Allocate(0, 4096), IsOk());
  absl::StatusOr<std::unique_ptr<Mapping>> mapping =
      file->Map(4096, MapAccess::kReadWrite);
  ASSERT_THAT(mapping, IsOk());
  files_.FailCallsNamed("Mapping::", EACCES, Repeat::kOnce);
  EXPECT_THAT((*mapping)->ProtectReadOnly(), StatusIs(Code::kPermissionDenied));
  (*mapping)->data()[0] = 'x';
  EXPECT_THAT((*mapping)->ProtectReadOnly(), IsOk());
}

}  // namespace
}  // namespace varve
