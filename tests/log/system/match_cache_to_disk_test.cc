// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/match_cache_to_disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
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

constexpr int64_t kPiece = int64_t{1} << 20;

class MatchCacheToDiskTest : public ::testing::Test {
 protected:
  void Put(const std::string& bytes) {
    WriteBytes(path_, bytes);
    descriptor_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(descriptor_, 0);
  }
  ~MatchCacheToDiskTest() override { close(descriptor_); }

  // Matches the cache as if the disk held `disk_`.
  absl::Status Match() {
    return MatchCachedPages(
        descriptor_, path_,
        [this](int64_t at, absl::Span<char> out) -> absl::StatusOr<size_t> {
          reads_.push_back(at);
          return disk_.copy(out.data(), out.size(), static_cast<size_t>(at));
        });
  }
  // Takes what it can of the file out of the cache.
  void Evict() {
    ASSERT_EQ(fdatasync(descriptor_), 0);
    ASSERT_EQ(posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED), 0);
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "f";
  int descriptor_ = -1;
  std::string disk_;
  std::vector<int64_t> reads_;
};

TEST_F(MatchCacheToDiskTest, CachedPageThatDiffersGetsWhatTheDiskHolds) {
  disk_ = std::string(2 * kPiece + 100, 'd');
  Put(disk_);
  std::string cache = disk_;
  cache[5] = 'c';
  cache[kPiece + 70000] = 'c';
  cache.back() = 'c';
  WriteBytes(path_, cache);
  EXPECT_THAT(Match(), IsOk());
  EXPECT_EQ(ReadBytes(path_), disk_);
  EXPECT_THAT(reads_, ElementsAre(0, kPiece, 2 * kPiece));
}

// The mapping may belong to a view of a log that is closed by now, or to
// another process.
TEST_F(MatchCacheToDiskTest, WhoeverMapsTheFileSeesIt) {
  disk_ = std::string(10000, 'd');
  Put(std::string(10000, 'c'));
  auto directory = FileSystem::Posix()->OpenDirectory(scratch_.path());
  ASSERT_THAT(directory, IsOk());
  auto file = (*directory)->OpenFile("f", OpenMode::kRead);
  ASSERT_THAT(file, IsOk());
  const auto mapping = (*file)->Map(10000, MapAccess::kReadOnly);
  ASSERT_THAT(mapping, IsOk());
  ASSERT_EQ((*mapping)->data()[9999], 'c');
  EXPECT_THAT(Match(), IsOk());
  EXPECT_EQ(std::string((*mapping)->data(), 10000), disk_);
}

TEST_F(MatchCacheToDiskTest, DiskIsNotReadForWhatIsNotCached) {
  disk_ = std::string(3 * kPiece, 'd');
  Put(disk_);
  Evict();
  char byte = 0;
  ASSERT_EQ(pread(descriptor_, &byte, 1, 2 * kPiece), 1);
  ASSERT_THAT(Match(), IsOk());
  for (int64_t at : reads_) EXPECT_NE(at, 0);
}

TEST_F(MatchCacheToDiskTest, EmptyFileHasNothingToMatch) {
  Put("");
  EXPECT_THAT(Match(), IsOk());
  EXPECT_THAT(reads_, IsEmpty());
}

TEST_F(MatchCacheToDiskTest, DiskThatCannotBeReadIsAnErrorAndChangesNothing) {
  Put("cache");
  EXPECT_THAT(MatchCachedPages(descriptor_, path_,
                               [](int64_t, absl::Span<char>) {
                                 return absl::StatusOr<size_t>(
                                     absl::FailedPreconditionError("no"));
                               }),
              StatusIs(Code::kFailedPrecondition));
  EXPECT_EQ(ReadBytes(path_), "cache");
}

// This reads the disk itself, past the cache where the file system can.
TEST_F(MatchCacheToDiskTest, FileWhoseCacheIsRightStaysAsItIs) {
  const std::string bytes = std::string(kPiece, 'a') + std::string(777, 'b');
  Put(bytes);
  auto directory = FileSystem::Posix()->OpenDirectory(scratch_.path());
  ASSERT_THAT(directory, IsOk());
  auto file = (*directory)->OpenFile("f", OpenMode::kReadWrite);
  ASSERT_THAT(file, IsOk());
  // Pages that are mapped stay in the cache.
  const auto mapping = (*file)->Map(bytes.size(), MapAccess::kReadOnly);
  ASSERT_THAT(mapping, IsOk());
  ASSERT_EQ(std::string((*mapping)->data(), bytes.size()), bytes);
  const absl::Status matched = (*file)->DropCache();
  if (absl::IsFailedPrecondition(matched)) GTEST_SKIP() << matched;
  EXPECT_THAT(matched, IsOk());
  EXPECT_EQ(ReadBytes(path_), bytes);
  // The descriptor reads and writes as before: any bytes, anywhere.
  EXPECT_THAT((*file)->WriteAt(7, "xyz"), IsOk());
  EXPECT_EQ(ReadBytes(path_).substr(6, 5), "axyza");
}

}  // namespace
}  // namespace varve
