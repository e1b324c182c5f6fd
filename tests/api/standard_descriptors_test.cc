// SPDX-License-Identifier: Apache-2.0

// A program that closes its standard descriptors, as a daemon does, and prints
// all the same.

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/process_footprint.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/log/system/file_descriptor.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Closes the standard descriptors of the process while it lives.
class ClosedStandardDescriptors {
 public:
  ClosedStandardDescriptors() {
    std::fflush(nullptr);
    for (int number = 0; number < 3; ++number) {
      saved_.at(static_cast<size_t>(number)) =
          fcntl(number, F_DUPFD_CLOEXEC, 100);
      CHECK_GE(saved_.at(static_cast<size_t>(number)), 0);
      close(number);
    }
  }
  ~ClosedStandardDescriptors() {
    for (int number = 0; number < 3; ++number) {
      const int saved = saved_.at(static_cast<size_t>(number));
      CHECK_EQ(dup2(saved, number), number);
      close(saved);
    }
  }

  // The files that have taken their places. A thread that is opening a file
  // holds them with "/", for a moment, so that the file does not get one.
  static std::vector<std::string> Taken() {
    std::vector<std::string> taken;
    for (int number = 0; number < 3; ++number) {
      std::error_code closed;
      const std::filesystem::path target = std::filesystem::read_symlink(
          absl::StrCat("/proc/self/fd/", number), closed);
      if (!closed && target != "/") taken.push_back(target.string());
    }
    return taken;
  }

 private:
  std::array<int, 3> saved_ = {};
};

// Fails while the descriptors are closed. Not through write(2) of libc, where
// ThreadSanitizer takes a descriptor's number for memory that two threads use.
void PrintToStandardDescriptors(std::string_view text) {
  for (const int number : {STDOUT_FILENO, STDERR_FILENO})
    syscall(SYS_write, number, text.data(), text.size());
}

TEST(StandardDescriptorsTest, StoreNeverTakesThemAndWhatIsPrintedHitsNoFile) {
  ScratchDirectory scratch;
  TopicConfig config;
  config.log.segment_bytes = 64 << 10;
  std::vector<std::string> taken;
  int event = -1;
  absl::Status closed;
  {
    const ClosedStandardDescriptors daemon;
    auto store = LogStore::Open(scratch / "store");
    CHECK_OK(store);
    CHECK_OK((*store)->CreateTopic("orders", config));
    auto orders = (*store)->partition("orders", 0);
    CHECK_OK(orders);
    const auto appended_event = orders->NewAppendEvent();
    CHECK_OK(appended_event);
    event = (*appended_event)->descriptor();
    for (int i = 0; i < 300; ++i) {
      CHECK_OK(orders->Append(
          {.value = std::string(1000, 'v')},
          i % 50 == 0 ? Durability::kSynced : Durability::kMemory));
      PrintToStandardDescriptors("warning: the cache is cold\n");
      for (std::string& name : ClosedStandardDescriptors::Taken())
        taken.push_back(std::move(name));
    }
    closed = (*store)->Close();
  }
  EXPECT_THAT(taken, IsEmpty());
  EXPECT_GT(event, 2);
  EXPECT_THAT(closed, IsOk());
  auto store = LogStore::Open(scratch / "store");
  ASSERT_THAT(store, IsOk());
  const auto records = ReadAll(*(*store)->partition("orders", 0));
  ASSERT_THAT(records, IsOk());
  EXPECT_THAT(*records, SizeIs(300));
}

TEST(StandardDescriptorsTest, LastDescriptorThatIsAStandardOneIsNotTaken) {
  int error = 0;
  std::vector<std::string> taken;
  {
    // These take every number below 100; the copies of the standard descriptors
    // get larger ones.
    std::vector<int> all;
    const DescriptorLimit limit(100);
    for (int number; (number = open("/", O_PATH | O_CLOEXEC)) >= 0;)
      all.push_back(number);
    const DescriptorLimit room_for_copies(200);
    const ClosedStandardDescriptors daemon;
    const DescriptorLimit none(100);
    const FileDescriptor opened = FileDescriptor::Open(
        [] { return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    error = opened.is_open() ? 0 : errno;
    taken = ClosedStandardDescriptors::Taken();
    for (int number : all) close(number);
  }
  EXPECT_EQ(error, EMFILE);
  EXPECT_THAT(taken, IsEmpty());
}

TEST(StandardDescriptorsTest, PlaceholdersDoNotStay) {
  std::vector<std::string> taken;
  int number = -1;
  {
    const ClosedStandardDescriptors daemon;
    const FileDescriptor opened = FileDescriptor::Open(
        [] { return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    number = opened.number();
    taken = ClosedStandardDescriptors::Taken();
  }
  EXPECT_GT(number, 2);
  EXPECT_THAT(taken, IsEmpty());
}

}  // namespace
}  // namespace varve
