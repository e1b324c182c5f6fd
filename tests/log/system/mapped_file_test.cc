// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/mapped_file.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

constexpr int64_t kMin = MappedFile::kAllocationStepMin;
constexpr int64_t kMax = MappedFile::kAllocationStepMax;

class MappedFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<MappedFile> Create(int64_t capacity) {
    auto file = MappedFile::Create(**directory_, "f", capacity);
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }
  std::unique_ptr<MappedFile> OpenForAppend(int64_t capacity) {
    auto file = MappedFile::OpenForAppend(**directory_, "f", capacity);
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }
  std::unique_ptr<MappedFile> OpenReadOnly() {
    auto file = MappedFile::OpenReadOnly(**directory_, "f");
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }
  void PutFile(const std::string& bytes) { WriteBytes(path_, bytes); }
  int64_t SizeOnDisk() const {
    return static_cast<int64_t>(std::filesystem::file_size(path_));
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "f";
  FaultyFileSystem files_;
  absl::StatusOr<std::unique_ptr<Directory>> directory_ =
      files_.OpenDirectory(scratch_.path());
};

TEST_F(MappedFileTest, NewFileIsEmptyAndHasItsAddressRange) {
  const auto file = Create(int64_t{1} << 30);
  EXPECT_EQ(file->path(), path_);
  EXPECT_EQ(file->allocated(), 0);
  EXPECT_EQ(file->capacity(), int64_t{1} << 30);
  EXPECT_NE(file->data(), nullptr);
  EXPECT_EQ(SizeOnDisk(), 0);
}

TEST_F(MappedFileTest, StepsDoubleUpToTheMaximum) {
  const auto file = Create(4 * kMax + 100);
  std::vector<int64_t> sizes;
  while (file->allocated() < file->capacity()) {
    ASSERT_THAT(file->EnsureAllocated(file->allocated() + 1), IsOk());
    ASSERT_EQ(SizeOnDisk(), file->allocated());
    sizes.push_back(file->allocated());
  }
  EXPECT_THAT(sizes, ElementsAre(kMin, 2 * kMin, 4 * kMin, 8 * kMin, 16 * kMin,
                                 32 * kMin, 64 * kMin, 128 * kMin, 256 * kMin,
                                 512 * kMin, 1024 * kMin, 2048 * kMin, kMax,
                                 2 * kMax, 3 * kMax, 4 * kMax, 4 * kMax + 100));
}

TEST_F(MappedFileTest, NeedAboveTheStepIsMetAtOnce) {
  const auto file = Create(100 * kMin);
  EXPECT_THAT(file->EnsureAllocated(10 * kMin + 1), IsOk());
  EXPECT_EQ(file->allocated(), 11 * kMin);
}

TEST_F(MappedFileTest, WhatIsThereAlreadyCostsNoCall) {
  const auto file = Create(100 * kMin);
  ASSERT_THAT(file->EnsureAllocated(1), IsOk());
  files_.ForgetCalls();
  EXPECT_THAT(file->EnsureAllocated(0), IsOk());
  EXPECT_THAT(file->EnsureAllocated(kMin), IsOk());
  EXPECT_THAT(files_.calls(), IsEmpty());
}

TEST_F(MappedFileTest, AllocatedBytesAreZeroAndTakeStores) {
  const auto file = Create(3 * kMin);
  ASSERT_THAT(file->EnsureAllocated(3 * kMin), IsOk());
  EXPECT_EQ(file->bytes(3 * kMin), std::string(3 * kMin, '\0'));
  std::memset(file->data(), 'x', 3 * kMin);
  EXPECT_THAT(file->Sync(3 * kMin), IsOk());
  EXPECT_EQ(ReadBytes(path_), std::string(3 * kMin, 'x'));
}

TEST_F(MappedFileTest, CapacityNeedNotBeWholePages) {
  const auto file = Create(5);
  EXPECT_THAT(file->EnsureAllocated(5), IsOk());
  EXPECT_EQ(file->allocated(), 5);
  EXPECT_EQ(SizeOnDisk(), 5);
}

TEST_F(MappedFileTest, NearlyFullDiskGivesTheSmallerStep) {
  const auto file = Create(100 * kMin);
  ASSERT_THAT(file->EnsureAllocated(8 * kMin), IsOk());
  files_.LimitSpace(2 * kMin);
  EXPECT_THAT(file->EnsureAllocated(8 * kMin + 1), IsOk());
  EXPECT_EQ(file->allocated(), 9 * kMin);
  EXPECT_THAT(file->EnsureAllocated(9 * kMin + 1), IsOk());
  EXPECT_EQ(file->allocated(), 10 * kMin);
}

TEST_F(MappedFileTest, FullDiskChangesNothingAndLaterCallsSucceed) {
  const auto file = Create(100 * kMin);
  ASSERT_THAT(file->EnsureAllocated(kMin), IsOk());
  files_.LimitSpace(kMin - 1);
  EXPECT_THAT(file->EnsureAllocated(kMin + 1),
              StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(file->allocated(), kMin);
  EXPECT_EQ(SizeOnDisk(), kMin);
  files_.UnlimitSpace();
  EXPECT_THAT(file->EnsureAllocated(kMin + 1), IsOk());
  EXPECT_EQ(file->allocated(), 2 * kMin);
}

TEST_F(MappedFileTest, OtherErrorsOfAStepAreNotTriedSmaller) {
  const auto file = Create(100 * kMin);
  ASSERT_THAT(file->EnsureAllocated(4 * kMin), IsOk());
  files_.ForgetCalls();
  files_.FailCallsNamed("File::Allocate", EIO, Repeat::kOnce);
  EXPECT_THAT(file->EnsureAllocated(4 * kMin + 1), StatusIs(Code::kUnknown));
  EXPECT_EQ(files_.call_count(), 1);
  EXPECT_EQ(file->allocated(), 4 * kMin);
}

TEST_F(MappedFileTest, SealTrimsAndBytesStayReadableInPlace) {
  const auto file = Create(100 * kMin);
  ASSERT_THAT(file->EnsureAllocated(3 * kMin), IsOk());
  std::memcpy(file->data(), "sediment", 8);
  const char* const data = file->data();
  EXPECT_THAT(file->Seal(8), IsOk());
  EXPECT_EQ(SizeOnDisk(), 8);
  EXPECT_EQ(file->allocated(), 8);
  EXPECT_EQ(file->data(), data);
  EXPECT_EQ(file->bytes(8), "sediment");
  EXPECT_THAT(file->Sync(8), IsOk());
}

TEST_F(MappedFileTest, StoreToASealedFileIsASignal) {
  const auto file = Create(kMin);
  ASSERT_THAT(file->EnsureAllocated(8), IsOk());
  ASSERT_THAT(file->Seal(8), IsOk());
  EXPECT_DEATH(file->data()[0] = 'x', "");
}

TEST_F(MappedFileTest, SealAtZeroLeavesAnEmptyFile) {
  const auto file = Create(kMin);
  ASSERT_THAT(file->EnsureAllocated(8), IsOk());
  EXPECT_THAT(file->Seal(0), IsOk());
  EXPECT_EQ(SizeOnDisk(), 0);
}

TEST_F(MappedFileTest, FailedTrimLeavesTheFileAsItWas) {
  const auto file = Create(kMin);
  ASSERT_THAT(file->EnsureAllocated(8), IsOk());
  files_.FailCallsNamed("File::Truncate", EIO, Repeat::kOnce);
  EXPECT_THAT(file->Seal(8), StatusIs(Code::kUnknown));
  EXPECT_EQ(file->allocated(), kMin);
  EXPECT_EQ(SizeOnDisk(), kMin);
}

TEST_F(MappedFileTest, ReadOnlyOfAnEmptyFileHasNoBytes) {
  PutFile("");
  const auto file = OpenReadOnly();
  EXPECT_EQ(file->allocated(), 0);
  EXPECT_EQ(file->data(), nullptr);
  EXPECT_EQ(file->bytes(0), "");
  EXPECT_THAT(file->Seal(0), IsOk());
  EXPECT_THAT(file->Sync(0), IsOk());
}

TEST_F(MappedFileTest, ReadOnlyShowsTheFileAndHasNothingToSync) {
  PutFile("sediment");
  const auto file = OpenReadOnly();
  files_.ForgetCalls();
  EXPECT_EQ(file->bytes(file->allocated()), "sediment");
  EXPECT_THAT(file->Sync(0), IsOk());
  EXPECT_THAT(files_.calls(), IsEmpty());
}

TEST_F(MappedFileTest, ReopenedFileGrowsFromItsSize) {
  PutFile("sediment");
  const auto file = OpenForAppend(100 * kMin);
  EXPECT_EQ(file->allocated(), 8);
  EXPECT_THAT(file->EnsureAllocated(9), IsOk());
  EXPECT_EQ(file->allocated(), 2 * kMin);
  EXPECT_EQ(file->bytes(10), std::string("sediment\0\0", 10));
}

TEST_F(MappedFileTest, CapacityBelowTheSizeIsRaised) {
  PutFile(std::string(3 * kMin, 'x'));
  const auto file = OpenForAppend(kMin);
  EXPECT_EQ(file->capacity(), 3 * kMin);
  EXPECT_EQ(file->bytes(3 * kMin).back(), 'x');
}

TEST_F(MappedFileTest, FileThatExistsIsNotCreated) {
  PutFile("sediment");
  EXPECT_THAT(MappedFile::Create(**directory_, "f", kMin),
              StatusIs(Code::kAlreadyExists));
  EXPECT_EQ(ReadBytes(path_), "sediment");
}

TEST_F(MappedFileTest, MissingFileIsNotFound) {
  EXPECT_THAT(MappedFile::OpenReadOnly(**directory_, "f"),
              StatusIs(Code::kNotFound));
  EXPECT_THAT(MappedFile::OpenForAppend(**directory_, "f", kMin),
              StatusIs(Code::kNotFound));
  EXPECT_THAT(NamesIn(scratch_.path()), IsEmpty());
}

TEST_F(MappedFileTest, CreationThatCannotMapLeavesNoFile) {
  files_.FailCallsNamed("File::Map", ENOMEM, Repeat::kOnce);
  EXPECT_THAT(MappedFile::Create(**directory_, "f", kMin),
              StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(NamesIn(scratch_.path()), IsEmpty());
}

// A sync interrupts the other processors for each page that is mapped writable,
// so what nobody writes to any more is taken out of the page table before.
TEST_F(MappedFileTest, SyncLetsGoOfCompletePagesOnceAndTheyReadTheSame) {
  constexpr int64_t kComplete = 1 << 20;
  const auto file = Create(2 * kComplete);
  ASSERT_THAT(file->EnsureAllocated(2 * kComplete), IsOk());
  std::memset(file->data(), 'x', kComplete + 1);
  files_.ForgetCalls();
  EXPECT_THAT(file->Sync(kComplete + 1), IsOk());
  EXPECT_THAT(files_.calls(),
              ElementsAre("Mapping::LetGo " + path_, "File::Sync " + path_));
  EXPECT_EQ(file->bytes(kComplete + 1), std::string(kComplete + 1, 'x'));
  std::memset(file->data() + kComplete, 'y', kComplete);
  files_.ForgetCalls();
  EXPECT_THAT(file->Sync(kComplete + 1), IsOk());
  EXPECT_THAT(files_.calls(), ElementsAre("File::Sync " + path_));
  EXPECT_EQ(file->bytes(kComplete), std::string(kComplete, 'x'));
}

TEST_F(MappedFileTest, SyncOfFewBytesLetsGoOfNone) {
  const auto file = Create(1 << 20);
  ASSERT_THAT(file->EnsureAllocated(1 << 20), IsOk());
  files_.ForgetCalls();
  EXPECT_THAT(file->Sync((256 << 10) - 1), IsOk());
  EXPECT_THAT(files_.calls(), ElementsAre("File::Sync " + path_));
}

TEST_F(MappedFileTest, FailedSyncIsReportedByEveryLaterOne) {
  const auto file = Create(kMin);
  files_.FailCallsNamed("File::Sync", EIO, Repeat::kOnce);
  const absl::Status failure = file->Sync(0);
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  EXPECT_TRUE(file->sync_failed());
  EXPECT_EQ(file->Sync(0), failure);
}

TEST_F(MappedFileTest, SyncThatFailsForWantOfSpaceInvitesNoOtherTry) {
  const auto file = Create(kMin);
  files_.FailCallsNamed("File::Sync", ENOSPC, Repeat::kOnce);
  EXPECT_THAT(file->Sync(0), StatusIs(Code::kUnknown));
}

// The kernel reports a failed write-back once: here the piece gets it, and the
// file's own sync would say OK.
TEST_F(MappedFileTest, FailedSyncOfAPieceIsReportedByTheSyncOfTheFile) {
  const auto file = Create(1 << 20);
  files_.FailCallsNamed("Mapping::Sync", EIO, Repeat::kOnce);
  const absl::Status failure =
      file->PrepareAhead(0, 1 << 20, MappedFile::AfterPopulating::kSync);
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  EXPECT_TRUE(file->sync_failed());
  EXPECT_EQ(file->Sync(0), failure);
}

TEST_F(MappedFileTest, FailureOfAPreparationIsNoFailedSync) {
  const auto file = Create(1 << 20);
  files_.FailCallsNamed("Mapping::Populate", ENOMEM, Repeat::kOnce);
  EXPECT_THAT(
      file->PrepareAhead(0, 1 << 20, MappedFile::AfterPopulating::kSync),
      StatusIs(Code::kResourceExhausted));
  EXPECT_FALSE(file->sync_failed());
  EXPECT_THAT(file->Sync(0), IsOk());
}

TEST_F(MappedFileTest, SealThatFailedIsDoneByTheNext) {
  for (const char* call : {"File::Truncate", "Mapping::ProtectReadOnly"}) {
    SCOPED_TRACE(call);
    std::filesystem::remove(path_);
    const auto file = Create(kMin);
    ASSERT_THAT(file->EnsureAllocated(8), IsOk());
    files_.FailCallsNamed(call, ENOMEM, Repeat::kOnce);
    EXPECT_THAT(file->Seal(8), StatusIs(Code::kResourceExhausted));
    EXPECT_THAT(file->Seal(8), IsOk());
    EXPECT_EQ(SizeOnDisk(), 8);
    EXPECT_DEATH(file->data()[0] = 'x', "");
  }
}

}  // namespace
}  // namespace varve
