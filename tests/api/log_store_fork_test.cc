// SPDX-License-Identifier: Apache-2.0

// An open store in a process that is forked from its owner: the child can do no
// harm with it, and the parent continues.

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/sanitizer.h"
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/cursor.h"
#include "varve/api/cursor_set.h"
#include "varve/api/log_store.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

// A child may find the allocator of AddressSanitizer locked by a thread that it
// does not have, so a store whose work is done by none is forked there.
constexpr bool kChildMayFindAllocatorLocked = kSanitizer == Sanitizer::kAddress;

StoreOptions ForkableOptions() {
  StoreOptions options;
  if (kChildMayFindAllocatorLocked) options.background = Background::kNone;
  return options;
}

// Runs `body` in a fork'ed child, which it must end within 20 s without a
// failed expectation.
void ExpectInChild(const std::function<void()>& body) {
  const pid_t child = fork();
  CHECK_GE(child, 0);
  if (child == 0) {
    alarm(20);
    body();
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The files below `directory` that this process has open; not those that are
// being written to replace others.
std::multiset<std::string> OpenFilesBelow(const std::string& directory) {
  std::multiset<std::string> found;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string path =
        std::filesystem::read_symlink(entry.path(), ignored).string();
    if (path.starts_with(directory) && !path.ends_with(".tmp")) {
      found.insert(path);
    }
  }
  return found;
}

class LogStoreForkTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
    Append("a");
  }
  StoreOptions Options() override { return ForkableOptions(); }
  void Append(const std::string& value) {
    ASSERT_THAT(Orders().Append({.value = value}), IsOk());
  }
};

TEST_F(LogStoreForkTest, CallsOnTheStoreFailInTheChild) {
  ExpectInChild([&] {
    const auto refused = StatusIs(kPrecondition, HasSubstr("forked"));
    EXPECT_THAT(store_->CreateTopic("more"), refused);
    EXPECT_THAT(store_->DescribeTopic("orders"), refused);
    EXPECT_THAT(store_->partition("orders", 0), refused);
    EXPECT_THAT(store_->RunMaintenance(), refused);
    EXPECT_THAT(store_->Close(), refused);
    EXPECT_THAT(store_->ListTopics(), IsEmpty());
    EXPECT_THAT(store_->recovery_report().partitions, IsEmpty());
    EXPECT_EQ(store_->Metrics().open_partitions, 0);
    EXPECT_EQ(store_->path(), path_);
  });
  EXPECT_EQ(store_->Metrics().open_partitions, 1);
  Append("b");
  EXPECT_EQ(Orders().durable_end(), 2);
}

TEST_F(LogStoreForkTest, CallsOnAPartitionFailInTheChild) {
  Partition orders = Orders();
  ExpectInChild([&] {
    const auto refused = StatusIs(kPrecondition, HasSubstr("forked"));
    EXPECT_THAT(orders.Append({.value = "x"}), refused);
    EXPECT_THAT(orders.Append({.value = "x"}, Durability::kMemory), refused);
    RecordBatchBuilder builder;
    EXPECT_THAT(builder.Append({.value = "x"}, 1000), IsOk());
    EXPECT_THAT(orders.Append(builder.Finish()), refused);
    EXPECT_THAT(orders.Read(0), refused);
    EXPECT_THAT(orders.WaitFor(5), refused);
    EXPECT_THAT(orders.Sync(), refused);
    EXPECT_EQ(orders.segment_count(), 0);
  });
  EXPECT_EQ(orders.visible_end(), 1);
  Append("b");
}

TEST_F(LogStoreForkTest, ChildNeitherSyncsNorCallsBack) {
  store_ = nullptr;
  auto opened = LogStore::Open(path_, {.background = Background::kNone});
  ASSERT_THAT(opened, IsOk());
  store_ = *std::move(opened);
  Partition orders = Orders();
  int called = 0;
  const auto call = [&](const auto& /*ended*/) { ++called; };
  ASSERT_THAT(orders.AppendAsync({.value = "b"}, call), IsOk());
  ExpectInChild([&] {
    const auto refused = StatusIs(kPrecondition, HasSubstr("forked"));
    EXPECT_THAT(orders.AppendAsync({.value = "x"}, call), refused);
    EXPECT_THAT(store_->Sync({orders}), refused);
    EXPECT_THAT(store_->SyncAll(), refused);
    EXPECT_THAT(store_->RunMaintenance(), refused);
    store_ = nullptr;
    EXPECT_EQ(called, 0);
  });
  EXPECT_EQ(orders.durable_end(), 1);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(called, 1);
  EXPECT_EQ(orders.durable_end(), 2);
}

TEST_F(LogStoreForkTest, ViewsCanBeReadInTheChild) {
  auto view = Orders().Read(0);
  ASSERT_THAT(view, IsOk());
  ExpectInChild([&] {
    RecordBatches::Records records = view->records();
    const RecordView* record = records.Next();
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(record->value(), "a");
  });
}

TEST_F(LogStoreForkTest, DestructorsDoNothingInTheChild) {
  std::optional<Partition> orders = Orders();
  auto view = orders->Read(0);
  ASSERT_THAT(view, IsOk());
  const auto files_before = OpenFilesBelow(path_);
  ExpectInChild([&] {
    view = absl::CancelledError();
    store_ = nullptr;
    orders.reset();
  });
  EXPECT_EQ(OpenFilesBelow(path_), files_before);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/.kafka_cleanshutdown"));
  EXPECT_THAT(LogStore::Open(path_),
              StatusIs(kPrecondition, HasSubstr("another writer")));
  Append("b");
  ASSERT_THAT(store_->Close(), IsOk());
  Open();
  EXPECT_TRUE(store_->recovery_report().clean);
  auto records = ReadAll(Orders());
  ASSERT_THAT(records, IsOk());
  EXPECT_THAT(*records, SizeIs(2));
}

TEST_F(LogStoreForkTest, PartitionThatOutlivesItsStoreCanEndInTheChild) {
  std::optional<Partition> orders = Orders();
  store_ = nullptr;
  ExpectInChild([&] { orders.reset(); });
  EXPECT_THAT(orders->Append({.value = "x"}), StatusIs(kPrecondition));
}

TEST_F(LogStoreForkTest, SetThatWaitsReportsTheForkAndCanEndInTheChild) {
  std::optional<CursorSet> set(std::in_place);
  Cursor* cursor = set->Add(Cursor(Orders(), 1));
  ASSERT_EQ(set->Wait(), nullptr);
  ExpectInChild([&] {
    EXPECT_EQ(set->Wait(absl::InfiniteFuture()), cursor);
    EXPECT_EQ(cursor->Next(), nullptr);
    EXPECT_THAT(cursor->status(), StatusIs(kPrecondition, HasSubstr("forked")));
    set.reset();
  });
  Append("b");
  EXPECT_EQ(set->Wait(absl::InfiniteFuture()), cursor);
}

TEST_F(LogStoreForkTest, SetHasNoDescriptorInTheChild) {
  const Partition orders = Orders();
  for (const bool asked_before : {false, true}) {
    CursorSet set;
    set.Add(Cursor(orders, 1));
    ASSERT_EQ(set.Wait(), nullptr);
    if (asked_before) {
      EXPECT_THAT(set.Descriptor(), IsOkAndHolds(Ge(0)));
    }
    ExpectInChild([&] {
      EXPECT_THAT(set.Descriptor(), IsOkAndHolds(-1));
      set.Add(Cursor(orders, 0));
    });
  }
}

TEST_F(LogStoreForkTest, ChildHasNoDescriptorOfTheStore) {
  ASSERT_THAT(OpenFilesBelow(path_), Not(IsEmpty()));
  ExpectInChild([&] { EXPECT_THAT(OpenFilesBelow(path_), IsEmpty()); });
}

TEST_F(LogStoreForkTest, LockIsTheParentsAloneAndFreeWhenItCloses) {
  // The child outlives the parent's store.
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  CHECK_GE(child, 0);
  if (child == 0) {
    char byte;
    close(pipe_ends[1]);
    const ssize_t size = read(pipe_ends[0], &byte, 1);
    _exit(size == 0 ? 0 : 1);
  }
  EXPECT_THAT(LogStore::Open(path_), StatusIs(kPrecondition));
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(LogStore::Open(path_), IsOk());
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(LogStoreForkTest, ChildClosesNoDescriptorOfItsOwnByMistake) {
  auto directory = FileSystem::Posix()->OpenDirectory(path_);
  ASSERT_THAT(directory, IsOk());
  ExpectInChild([&] {
    // The parent's descriptor numbers, taken by other files.
    std::vector<int> mine;
    for (int i = 0; i < 64; ++i) mine.push_back(dup(STDERR_FILENO));
    EXPECT_THAT((*directory)->Sync(), Not(IsOk()));
    *directory = nullptr;
    store_ = nullptr;
    struct stat status;
    for (int number : mine) EXPECT_EQ(fstat(number, &status), 0) << number;
  });
}

TEST_F(LogStoreForkTest, ChildCanOpenAStoreOfItsOwn) {
  StoreOptions options;
  // ThreadSanitizer ends a child that starts a thread.
  if (kSanitizer == Sanitizer::kThread) options.background = Background::kNone;
  ExpectInChild([&] {
    EXPECT_THAT(LogStore::Open(path_), StatusIs(kPrecondition));
    auto own = LogStore::Open(scratch_ / "own", options);
    ASSERT_THAT(own, IsOk());
    ASSERT_THAT((*own)->CreateTopic("t"), IsOk());
    EXPECT_THAT((*own)->partition("t", 0)->Append({.value = "x"}), IsOk());
    EXPECT_THAT((*own)->Close(), IsOk());
  });
  auto own = LogStore::Open(scratch_ / "own");
  ASSERT_THAT(own, IsOk());
  EXPECT_TRUE((*own)->recovery_report().clean);
}

// Whether the child ends by itself and well within 20 s. One that hangs before
// it leaves fork() has no alarm yet, so it is killed from here.
bool EndsWell(pid_t child) {
  int status = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    absl::SleepFor(absl::Milliseconds(1));
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return false;
}

// In debug builds each change of an absl::Mutex takes a lock of Abseil's own.
TEST_F(LogStoreForkTest, ForksAmidstChangesOfMutexesDoNotHangInTheFork) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      absl::Mutex mu;
      while (!stop) absl::MutexLock lock(&mu);
    });
  }
  for (int i = 0; i < 100 && !HasFailure(); ++i) {
    const pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0) _exit(0);
    EXPECT_TRUE(EndsWell(child)) << "fork " << i;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_F(LogStoreForkTest, ForksAmidstTheWorkOfOtherThreadsNeverHang) {
  if (kChildMayFindAllocatorLocked)
    GTEST_SKIP() << "a child inherits its allocator's locks as they are";
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (Durability durability : {Durability::kMemory, Durability::kSynced}) {
    threads.emplace_back([&, durability] {
      while (!stop) {
        Partition orders = Orders();
        CHECK_OK(orders.Append({.value = "x"}, durability).status());
        CHECK_OK(orders.Read(orders.visible_end() - 1).status());
      }
    });
  }
  threads.emplace_back([&] {
    // Opens and closes descriptors.
    for (int i = 0; !stop; ++i) {
      CHECK_OK(store_->CreateTopic(absl::StrCat("t", i)));
      CHECK_OK(store_->partition(absl::StrCat("t", i), 0).status());
    }
  });
  threads.emplace_back([&] {
    auto directory = FileSystem::Posix()->OpenDirectory(path_);
    while (!stop) CHECK_OK((*directory)->List().status());
  });
  std::optional<Partition> orders = Orders();
  for (int i = 0; i < 50 && !HasFailure(); ++i) {
    ExpectInChild([&] {
      EXPECT_THAT(OpenFilesBelow(path_), IsEmpty());
      EXPECT_THAT(orders->Append({.value = "x"}), StatusIs(kPrecondition));
      EXPECT_THAT(store_->Close(), StatusIs(kPrecondition));
      orders.reset();
      store_ = nullptr;
    });
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(store_->Close(), IsOk());
}

}  // namespace
}  // namespace varve
