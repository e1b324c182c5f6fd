// SPDX-License-Identifier: Apache-2.0

// A store at the limits of its surroundings: the size of files, the disk, the
// file system it is on, signals. Each is an error code, never a signal, and the
// store continues when there is room again.

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/process_footprint.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/log/system/file_system_type.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Code = absl::StatusCode;

// Counts a signal for the length of a test, and notes on which thread it came.
class SignalCounter {
 public:
  explicit SignalCounter(int signal) : signal_(signal) {
    count_ = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) {
      ++count_;
      thread_ = gettid();
    };
    sigaction(signal_, &action, &before_);
  }
  ~SignalCounter() { sigaction(signal_, &before_, nullptr); }

  static int count() { return count_; }
  static pid_t thread() { return thread_; }

 private:
  static std::atomic<int> count_;
  static std::atomic<pid_t> thread_;
  const int signal_;
  struct sigaction before_;
};
std::atomic<int> SignalCounter::count_ = 0;
std::atomic<pid_t> SignalCounter::thread_ = 0;

class LogStoreLimitsTest : public testing::Test {
 protected:
  void Open(const std::string& path, const StoreOptions& options = {}) {
    auto opened = LogStore::Open(path, options);
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }
  void CreateTopic(int64_t segment_bytes) {
    TopicConfig config;
    config.log.segment_bytes = segment_bytes;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  }
  Partition Orders() { return *store_->partition("orders", 0); }
  absl::Status Append(Durability durability = Durability::kMemory) {
    return Orders().Append({.value = value_}, durability).status();
  }
  absl::Status AppendUntilRefused() {
    absl::Status status;
    for (int i = 0; i < 100'000 && status.ok(); ++i) status = Append();
    return status;
  }
  void ExpectAllCanBeRead() {
    auto records = ReadAll(Orders());
    ASSERT_THAT(records, IsOk());
    EXPECT_THAT(*records, SizeIs(static_cast<size_t>(Orders().visible_end() -
                                                     Orders().log_start())));
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  const std::string value_ = std::string(1000, 'v');
  std::unique_ptr<LogStore> store_;
};

TEST_F(LogStoreLimitsTest, FileSizeLimitIsAnErrorAndNoSignal) {
  SignalCounter signals(SIGXFSZ);
  Open(path_);
  CreateTopic(64 << 20);
  ASSERT_THAT(Append(), IsOk());
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 1 << 20;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status refused = AppendUntilRefused();
  const absl::Status again = Append();
  const int64_t end = Orders().visible_end();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(refused, StatusIs(Code::kResourceExhausted,
                                HasSubstr("00000000000000000000.log")));
  EXPECT_THAT(again, StatusIs(Code::kResourceExhausted));
  EXPECT_GT(end, 100);
  EXPECT_EQ(SignalCounter::count(), 0);
  ExpectAllCanBeRead();
  EXPECT_THAT(Append(Durability::kSynced), IsOk());
  EXPECT_EQ(Orders().durable_end(), end + 1);
  EXPECT_THAT(store_->Close(), IsOk());
}

// Opens descriptors until there is none left, and closes them on destruction.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    for (int number; (number = open("/", O_PATH | O_CLOEXEC)) >= 0;)
      numbers_.push_back(number);
  }
  NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
  NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;
  ~NoDescriptorsLeft() {
    for (int number : numbers_) close(number);
  }

 private:
  std::vector<int> numbers_;
};

TEST_F(LogStoreLimitsTest, SyncNeedsNoDescriptorThatIsNotOpen) {
  DescriptorLimit limit(200);
  Open(path_, {.background = Background::kNone});
  CreateTopic(64 << 10);
  ASSERT_THAT(Append(), IsOk());
  const int64_t end = Orders().visible_end();
  {
    const NoDescriptorsLeft none;
    EXPECT_THAT(Append(Durability::kSynced), IsOk());
    // The next segment cannot be made.
    EXPECT_THAT(AppendUntilRefused(), StatusIs(Code::kResourceExhausted));
    EXPECT_THAT(Orders().Sync(), IsOk());
  }
  EXPECT_GT(Orders().visible_end(), end + 1);
  EXPECT_THAT(Append(Durability::kSynced), IsOk());
  EXPECT_EQ(Orders().durable_end(), Orders().visible_end());
  EXPECT_THAT(store_->Close(), IsOk());
  Open(path_);
  EXPECT_TRUE(store_->recovery_report().clean);
  ExpectAllCanBeRead();
}

// The directory's sync takes a report that the kernel makes once.
TEST_F(LogStoreLimitsTest, FailedSyncOfADirectoryIsNotForgotten) {
  FaultyFileSystem files;
  Open(path_,
       {.background = Background::kNone, .environment = {.files = &files}});
  CreateTopic(64 << 10);
  ASSERT_THAT(Append(), IsOk());
  files.FailCallsNamed("Directory::Sync " + path_ + "/orders-0", EIO,
                       FaultyFileSystem::Repeat::kOnce);
  const absl::Status failure = Append(Durability::kSynced);
  EXPECT_THAT(failure, StatusIs(Code::kUnknown));
  EXPECT_EQ(Append(Durability::kSynced), failure);
  store_ = nullptr;
}

TEST_F(LogStoreLimitsTest, SignalsOfTheProgramNeverRunOnOurThreads) {
  SignalCounter signals(SIGUSR1);
  Open(path_);
  CreateTopic(1 << 20);
  ASSERT_THAT(Append(Durability::kInterval), IsOk());
  // With the signal blocked here too, no thread is left that could take it.
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &one, nullptr);
  kill(getpid(), SIGUSR1);
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(Append(Durability::kSynced), IsOk());
  }
  EXPECT_EQ(SignalCounter::count(), 0);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  EXPECT_EQ(SignalCounter::count(), 1);
  EXPECT_EQ(SignalCounter::thread(), gettid());
}

TEST_F(LogStoreLimitsTest, UnsafeFileSystemIsRefusedUnlessAllowed) {
  FaultyFileSystem files;
  StoreOptions options = {.environment = {.files = &files}};
  for (FileSystemType type : {FileSystemType::kNfs, FileSystemType::kCifs,
                              FileSystemType::k9p, FileSystemType::kFuse}) {
    files.PretendType(type);
    const std::string path = absl::StrCat(path_, FileSystemName(type));
    EXPECT_THAT(LogStore::Open(path, options),
                StatusIs(Code::kFailedPrecondition,
                         AllOf(HasSubstr(path), HasSubstr(FileSystemName(type)),
                               HasSubstr("StoreOptions::file_system"))));
    EXPECT_TRUE(std::filesystem::is_empty(path));
    StoreOptions allowed = options;
    allowed.file_system = FileSystemPolicy::kAllowAny;
    Open(path, allowed);
    EXPECT_EQ(store_->file_system(), type);
    store_ = nullptr;
  }
}

TEST_F(LogStoreLimitsTest, SafeFileSystemsAreOpenedAndTold) {
  FaultyFileSystem files;
  for (FileSystemType type :
       {FileSystemType::kExt, FileSystemType::kXfs, FileSystemType::kOverlay,
        FileSystemType::kTmpfs, FileSystemType::kBtrfs, FileSystemType::kZfs,
        FileSystemType::kBcachefs, FileSystemType::kUnknown}) {
    files.PretendType(type);
    Open(path_, {.environment = {.files = &files}});
    EXPECT_EQ(store_->file_system(), type);
    store_ = nullptr;
  }
}

// A file system of 8 MiB in memory, for as long as it lives.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    std::filesystem::create_directory(path_);
    if (mount("none", path_.c_str(), "tmpfs", 0, "size=8m") != 0) {
      why_not_ = std::strerror(errno);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (why_not_.empty()) umount2(path_.c_str(), MNT_DETACH);
  }
  const std::string& why_not() const { return why_not_; }

 private:
  const std::string path_;
  std::string why_not_;
};

TEST_F(LogStoreLimitsTest, FullDiskIsAnErrorAndTrimmingHealsIt) {
  SmallDisk disk(scratch_ / "disk");
  if (!disk.why_not().empty()) {
    GTEST_SKIP() << "needs root to mount a small disk: " << disk.why_not();
  }
  SignalCounter signals(SIGBUS);
  Open(scratch_ / "disk/store");
  CreateTopic(1 << 20);
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(AppendUntilRefused(), StatusIs(Code::kResourceExhausted));
    // A sync trims full segments, which gives back what was allocated ahead.
    EXPECT_THAT(Orders().Sync(), IsOk());
    EXPECT_THAT(AppendUntilRefused(), StatusIs(Code::kResourceExhausted));
    ExpectAllCanBeRead();
    const int64_t end = Orders().visible_end();
    ASSERT_THAT(Orders().TrimBefore((Orders().log_start() + end) / 2), IsOk());
    ASSERT_THAT(Append(Durability::kSynced), IsOk());
    ExpectAllCanBeRead();
  }
  EXPECT_EQ(SignalCounter::count(), 0);
  EXPECT_THAT(store_->Close(), IsOk());
}

TEST_F(LogStoreLimitsTest, FullDiskIsHealedByRetention) {
  SmallDisk disk(scratch_ / "disk");
  if (!disk.why_not().empty()) {
    GTEST_SKIP() << "needs root to mount a small disk: " << disk.why_not();
  }
  Open(scratch_ / "disk/store",
       {.retention_check_interval = absl::Milliseconds(1),
        .background = Background::kNone});
  TopicConfig config;
  config.log.segment_bytes = 1 << 20;
  config.log.retention_ms = 1;  // no append deletes for that
  ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  EXPECT_THAT(AppendUntilRefused(), StatusIs(Code::kResourceExhausted));
  absl::SleepFor(absl::Milliseconds(2));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_GT(Orders().log_start(), 0);
  EXPECT_THAT(Append(Durability::kSynced), IsOk());
  ExpectAllCanBeRead();
  EXPECT_THAT(store_->Close(), IsOk());
}

}  // namespace
}  // namespace varve
