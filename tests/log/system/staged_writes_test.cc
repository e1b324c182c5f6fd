// SPDX-License-Identifier: Apache-2.0

// A MappedFile on a file system that takes new blocks for every write.

#include "varve/log/system/staged_writes.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
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
#include "varve/log/system/file_system_type.h"
#include "varve/log/system/mapped_file.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

constexpr int64_t kPiece = StagedWrites::kPiece;

// Bytes of the process's own memory in the range: its pages that are there and
// are no file's, by /proc/self/pagemap (proc(5): bits 63 and 61).
int64_t AnonymousBytesIn(const char* data, int64_t size) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  std::vector<uint64_t> entries(static_cast<size_t>((size + page - 1) / page));
  std::ifstream file("/proc/self/pagemap", std::ios::binary);
  file.seekg(static_cast<std::streamoff>(reinterpret_cast<uintptr_t>(data)) /
             page * 8);
  file.read(reinterpret_cast<char*>(entries.data()),
            static_cast<std::streamsize>(entries.size() * 8));
  EXPECT_TRUE(file.good());
  return page * std::count_if(entries.begin(), entries.end(), [](uint64_t e) {
           return (e >> 63 & 1) == 1 && (e >> 61 & 1) == 0;
         });
}

class StagedWritesTest : public testing::Test {
 protected:
  StagedWritesTest() { files_.PretendType(FileSystemType::kBtrfs); }

  void Create(int64_t capacity) {
    auto file = MappedFile::Create(**directory_, "f", capacity);
    ASSERT_THAT(file, IsOk());
    file_ = *std::move(file);
  }
  void OpenForAppend(int64_t capacity) {
    auto file = MappedFile::OpenForAppend(**directory_, "f", capacity);
    ASSERT_THAT(file, IsOk());
    file_ = *std::move(file);
  }
  // Stores bytes as a writer does, and puts them into the file.
  absl::Status Write(std::string_view bytes) {
    std::memcpy(file_->data() + end_, bytes.data(), bytes.size());
    const int64_t end = end_ + static_cast<int64_t>(bytes.size());
    absl::Status status = file_->WriteOut(end);
    if (status.ok()) {
      end_ = end;
      stored_.append(bytes);
    }
    return status;
  }
  std::string_view Memory() const { return file_->bytes(end_); }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "f";
  FaultyFileSystem files_;
  absl::StatusOr<std::unique_ptr<Directory>> directory_ =
      files_.OpenDirectory(scratch_.path());
  std::unique_ptr<MappedFile> file_;
  int64_t end_ = 0;
  std::string stored_;
};

TEST_F(StagedWritesTest, NewFileIsAllMemoryAndNothingIsAllocatedOnDisk) {
  Create(int64_t{1} << 30);
  EXPECT_EQ(file_->allocated(), int64_t{1} << 30);
  EXPECT_EQ(file_->opened_size(), 0);
  EXPECT_THAT(file_->EnsureAllocated(int64_t{1} << 30), IsOk());
  EXPECT_EQ(ReadBytes(path_), "");
  EXPECT_THAT(files_.calls(), Not(Contains(StartsWith("File::Allocate"))));
}

TEST_F(StagedWritesTest, BytesAreInTheFileOnceTheyAreWrittenOutAndNotBefore) {
  Create(1 << 20);
  std::memcpy(file_->data(), "sediment", 8);
  EXPECT_EQ(ReadBytes(path_), "");
  EXPECT_THAT(file_->WriteOut(8), IsOk());
  EXPECT_EQ(ReadBytes(path_), "sediment");
}

TEST_F(StagedWritesTest, FullDiskChangesNothingAndLaterItGoesOn) {
  Create(1 << 20);
  ASSERT_THAT(Write("first"), IsOk());
  files_.LimitSpace(3);
  EXPECT_THAT(Write("second"), StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(ReadBytes(path_), "first");
  EXPECT_THAT(Write("2nd"), IsOk());
  files_.UnlimitSpace();
  EXPECT_THAT(Write("third"), IsOk());
  EXPECT_EQ(ReadBytes(path_), "first2ndthird");
  EXPECT_EQ(Memory(), "first2ndthird");
}

TEST_F(StagedWritesTest, WriteThatFailedHalfwayIsCutOffAgain) {
  Create(1 << 20);
  ASSERT_THAT(Write("first"), IsOk());
  WriteBytes(path_, "firstsec");  // possible leftovers of the failing call
  files_.FailCallsNamed("File::WriteAt", EIO, Repeat::kOnce);
  EXPECT_THAT(Write("second"), StatusIs(Code::kUnknown));
  EXPECT_EQ(ReadBytes(path_), "first");
}

TEST_F(StagedWritesTest, ReadersSeeTheSameBytesWhilePiecesBecomeTheFiles) {
  Create(8 * kPiece);
  const char* const first = file_->data();
  std::string record(1000, 'a');
  for (int i = 0; end_ < 5 * kPiece; ++i) {
    record[0] = static_cast<char>('a' + i % 26);
    ASSERT_THAT(Write(record), IsOk());
  }
  EXPECT_EQ(file_->data(), first);
  EXPECT_EQ(Memory(), stored_);
  EXPECT_EQ(ReadBytes(path_), stored_);
  EXPECT_LE(AnonymousBytesIn(first, file_->capacity()), 2 * kPiece);
  ASSERT_THAT(file_->Seal(end_), IsOk());
  EXPECT_EQ(file_->data(), first);
  EXPECT_EQ(Memory(), stored_);
  EXPECT_EQ(AnonymousBytesIn(first, end_), 0);
}

TEST_F(StagedWritesTest, PieceThatCannotBeShownStaysInMemory) {
  files_.FailCallsNamed("File::ShowIn", ENOMEM, Repeat::kForever);
  Create(4 * kPiece);
  const std::string record(100'000, 'r');
  while (end_ < 2 * kPiece) ASSERT_THAT(Write(record), IsOk());
  EXPECT_EQ(Memory(), stored_);
  EXPECT_EQ(ReadBytes(path_), stored_);
  EXPECT_GT(AnonymousBytesIn(file_->data(), file_->capacity()), kPiece);
}

TEST_F(StagedWritesTest, SealWritesWhatIsMissingAndTrims) {
  Create(1 << 20);
  std::memcpy(file_->data(), "sediment and more", 17);
  ASSERT_THAT(file_->WriteOut(3), IsOk());
  ASSERT_THAT(file_->Seal(8), IsOk());
  EXPECT_EQ(ReadBytes(path_), "sediment");
  EXPECT_EQ(file_->bytes(8), "sediment");
  EXPECT_EQ(file_->allocated(), 8);
}

TEST_F(StagedWritesTest, FullDiskAtTheSealIsAnError) {
  Create(1 << 20);
  std::memcpy(file_->data(), "sediment", 8);
  files_.LimitSpace(0);
  EXPECT_THAT(file_->Seal(8),
              StatusIs(Code::kResourceExhausted, HasSubstr(path_)));
}

TEST_F(StagedWritesTest, ReopenedFileIsContinuedWhereverItEnded) {
  for (const int64_t size :
       {int64_t{0}, int64_t{1}, int64_t{65'535}, int64_t{65'536},
        int64_t{65'537}, 2 * kPiece, 2 * kPiece + 4095}) {
    stored_ = std::string(static_cast<size_t>(size), 'o');
    WriteBytes(path_, stored_);
    end_ = size;
    OpenForAppend(4 * kPiece);
    EXPECT_EQ(file_->opened_size(), size);
    EXPECT_EQ(Memory(), stored_);
    ASSERT_THAT(Write("new"), IsOk());
    EXPECT_EQ(Memory(), stored_);
    EXPECT_EQ(ReadBytes(path_), stored_);
    ASSERT_THAT(file_->Seal(end_), IsOk());
    EXPECT_EQ(ReadBytes(path_), stored_);
  }
}

TEST_F(StagedWritesTest, EveryFailingCallOfAnOpenIsAnErrorAndKeepsTheFile) {
  const std::string bytes(100'000, 'o');
  WriteBytes(path_, bytes);
  for (int64_t call = 0;; ++call) {
    FaultyFileSystem files;
    files.PretendType(FileSystemType::kBtrfs);
    auto directory = files.OpenDirectory(scratch_.path());
    ASSERT_THAT(directory, IsOk());
    files.ForgetCalls();
    files.FailCall(call, EIO, Repeat::kOnce);
    auto file = MappedFile::OpenForAppend(**directory, "f", 1 << 20);
    EXPECT_EQ(file.ok(), files.call_count() <= call) << call;
    EXPECT_EQ(ReadBytes(path_), bytes);
    if (files.call_count() <= call) break;
  }
}

TEST_F(StagedWritesTest, PopulatingAheadStoresNothing) {
  Create(4 * kPiece);
  ASSERT_THAT(Write("first"), IsOk());
  for (const auto after : {MappedFile::AfterPopulating::kLeaveDirty,
                           MappedFile::AfterPopulating::kSync}) {
    ASSERT_THAT(file_->PrepareAhead(end_, 2 * kPiece, after), IsOk());
    EXPECT_EQ(ReadBytes(path_), "first");
    EXPECT_EQ(Memory(), "first");
  }
}

}  // namespace
}  // namespace varve
