// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/segment_copy.h"

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kBase = 5;
const SegmentCopyOptions kFinalSegment = {.state = SegmentState::kFinal};

class SegmentCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(from_path_);
    std::filesystem::create_directory(to_path_);
    from_ = FileSystem::Posix()->OpenDirectory(from_path_).value();
    to_ = FileSystem::Posix()->OpenDirectory(to_path_).value();
    WriteBytes(from_path_ + "/00000000000000000005.log", "batches");
    WriteBytes(from_path_ + "/00000000000000000005.index", "offsets");
    WriteBytes(from_path_ + "/00000000000000000005.timeindex", "times");
    WriteBytes(from_path_ + "/00000000000000000005.snapshot", "Kafka's");
    WriteSidecarOf("batches");
  }

  void WriteSidecarOf(const std::string& log) {
    SegmentSidecar sidecar = SegmentSidecar::OfEmpty(kBase);
    sidecar.size_bytes = static_cast<int64_t>(log.size());
    ASSERT_THAT(WriteSidecar(*from_, sidecar), IsOk());
  }

  SegmentCopy Copy(const SegmentCopyOptions& options) {
    auto copy = CopySegment(*from_, *to_, kBase, options);
    EXPECT_THAT(copy, IsOk());
    return copy.value_or(SegmentCopy());
  }

  ScratchDirectory scratch_;
  const std::string from_path_ = scratch_ / "from";
  const std::string to_path_ = scratch_ / "to";
  std::unique_ptr<Directory> from_;
  std::unique_ptr<Directory> to_;
};

TEST_F(SegmentCopyTest, FinalSegmentIsCopiedWithAllItsFiles) {
  const SegmentCopy copy = Copy(kFinalSegment);
  EXPECT_EQ(copy.bytes, 7);
  EXPECT_FALSE(copy.is_kept);
  EXPECT_FALSE(copy.lacks_index);
  EXPECT_EQ(NamesIn(to_path_), NamesIn(from_path_));
  EXPECT_EQ(ReadBytes(to_path_ + "/00000000000000000005.log"), "batches");
  EXPECT_EQ(ReadBytes(to_path_ + "/00000000000000000005.timeindex"), "times");
}

TEST_F(SegmentCopyTest, SegmentThatMayChangeIsCopiedWithoutItsIndexes) {
  Copy({.state = SegmentState::kMayChange});
  EXPECT_THAT(NamesIn(to_path_), ElementsAre("00000000000000000005.log",
                                             "00000000000000000005.snapshot",
                                             "sealed-00000000000000000005"));
}

TEST_F(SegmentCopyTest, FinalSegmentWithTheSameSidecarIsKept) {
  Copy(kFinalSegment);
  // So that a copy would be seen.
  WriteBytes(to_path_ + "/00000000000000000005.log", "BATCHES");
  int64_t progress = 0;
  const SegmentCopy copy =
      Copy({.state = SegmentState::kFinal,
            .progress = [&](int64_t bytes) { progress += bytes; }});
  EXPECT_TRUE(copy.is_kept);
  EXPECT_EQ(copy.bytes, 7);
  EXPECT_EQ(progress, 7);
  EXPECT_EQ(ReadBytes(to_path_ + "/00000000000000000005.log"), "BATCHES");
}

TEST_F(SegmentCopyTest, SameSegmentIsCopiedAgainWhenThatIsAskedFor) {
  Copy(kFinalSegment);
  WriteBytes(to_path_ + "/00000000000000000005.log", "BATCHES");
  const SegmentCopy copy =
      Copy({.state = SegmentState::kFinal, .same = SameSegments::kCopyAgain});
  EXPECT_FALSE(copy.is_kept);
  EXPECT_EQ(ReadBytes(to_path_ + "/00000000000000000005.log"), "batches");
}

TEST_F(SegmentCopyTest, SegmentOfAnotherSizeOrSidecarIsNotKept) {
  Copy(kFinalSegment);
  WriteBytes(to_path_ + "/00000000000000000005.log", "batch");
  EXPECT_FALSE(Copy(kFinalSegment).is_kept);
  WriteBytes(from_path_ + "/00000000000000000005.log", "other batches");
  WriteSidecarOf("other batches");
  EXPECT_FALSE(Copy(kFinalSegment).is_kept);
  EXPECT_EQ(ReadBytes(to_path_ + "/00000000000000000005.log"), "other batches");
}

TEST_F(SegmentCopyTest, SegmentWithoutASidecarIsNotKept) {
  ASSERT_THAT(RemoveSidecar(*from_, kBase), IsOk());
  Copy(kFinalSegment);
  EXPECT_FALSE(Copy(kFinalSegment).is_kept);
}

TEST_F(SegmentCopyTest, FileThatTheSourceLacksIsRemovedFromTheCopy) {
  Copy(kFinalSegment);
  std::filesystem::remove(from_path_ + "/00000000000000000005.index");
  std::filesystem::remove(from_path_ + "/00000000000000000005.snapshot");
  const SegmentCopy copy = Copy({.state = SegmentState::kFinal,
                                 .same = SameSegments::kCopyAgain,
                                 .replaced = ReplacedLog::kDrop});
  EXPECT_TRUE(copy.lacks_index);
  EXPECT_EQ(NamesIn(to_path_), NamesIn(from_path_));
}

TEST_F(SegmentCopyTest, LogThatIsReplacedIsPutAsideUnlessItIsDropped) {
  Copy(kFinalSegment);
  WriteBytes(to_path_ + "/00000000000000000005.log", "BATCHES");
  SegmentCopyOptions options = {.state = SegmentState::kFinal,
                                .same = SameSegments::kCopyAgain,
                                .replaced = ReplacedLog::kDrop};
  Copy(options);
  EXPECT_EQ(NamesIn(to_path_), NamesIn(from_path_));
  options.replaced = ReplacedLog::kDisplace;
  WriteBytes(to_path_ + "/00000000000000000005.log", "BATCHES");
  Copy(options);
  EXPECT_EQ(ReadBytes(to_path_ + "/00000000000000000005.log"), "batches");
  EXPECT_EQ(ReadBytes(to_path_ + "/displaced-00000000000000000005"), "BATCHES");
  EXPECT_EQ(ReadBytes(to_path_ + "/00000000000000000005.index"), "offsets");
}

TEST_F(SegmentCopyTest, FailedReadOfTheSourceLeavesTheEarlierSegment) {
  Copy(kFinalSegment);
  WriteBytes(to_path_ + "/00000000000000000005.log", "BATCHES");
  const std::vector<std::string> before = NamesIn(to_path_);
  FaultyFileSystem files;
  auto from = files.OpenDirectory(from_path_);
  ASSERT_THAT(from, IsOk());
  files.FailCallsNamed("File::ReadAt " + from_path_ + "/000", EIO,
                       FaultyFileSystem::Repeat::kForever);
  EXPECT_THAT(CopySegment(**from, *to_, kBase,
                          {.state = SegmentState::kFinal,
                           .same = SameSegments::kCopyAgain}),
              StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(ReadBytes(to_path_ + "/00000000000000000005.log"), "BATCHES");
  EXPECT_EQ(NamesIn(to_path_), before);
}

TEST_F(SegmentCopyTest, KeptSegmentIsSynced) {
  Copy(kFinalSegment);
  FaultyFileSystem files;
  auto to = files.OpenDirectory(to_path_);
  ASSERT_THAT(to, IsOk());
  const auto kept = CopySegment(*from_, **to, kBase, kFinalSegment);
  ASSERT_THAT(kept, IsOk());
  EXPECT_TRUE(kept->is_kept);
  for (const std::string& name : NamesIn(to_path_)) {
    EXPECT_THAT(files.calls(), Contains("File::Sync " + to_path_ + "/" + name));
  }
  files.FailCallsNamed("File::Sync", EIO, FaultyFileSystem::Repeat::kOnce);
  EXPECT_FALSE(CopySegment(*from_, **to, kBase, kFinalSegment).ok());
}

TEST_F(SegmentCopyTest, SegmentThatIsGoneIsNotFoundAndNothingIsCopied) {
  std::filesystem::remove(from_path_ + "/00000000000000000005.log");
  EXPECT_THAT(CopySegment(*from_, *to_, kBase, kFinalSegment),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(NamesIn(to_path_), IsEmpty());
}

}  // namespace
}  // namespace varve
