// SPDX-License-Identifier: Apache-2.0

// Two copies of varve, with an Abseil of its own each, in one process, as two
// plug-ins bring them: neither sees the other, but for a store's lock.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/linkage/varve_copy.h"

extern "C" const VarveCopy* VarveCopyOne();
extern "C" const VarveCopy* VarveCopyTwo();

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A store that one of the copies has opened.
class OpenedStore {
 public:
  OpenedStore(const VarveCopy* copy, const std::string& path) : copy_(copy) {
    char error[1000] = "";
    store_ = copy->open(path.c_str(), error, sizeof error);
    error_ = error;
  }
  OpenedStore(const OpenedStore&) = delete;
  OpenedStore& operator=(const OpenedStore&) = delete;
  ~OpenedStore() {
    if (store_ != nullptr) copy_->destroy(store_);
  }

  const std::string& error() const { return error_; }
  bool is_open() const { return store_ != nullptr; }
  int64_t Append() { return copy_->append(store_, "v"); }
  int64_t Count() { return copy_->count(store_); }
  bool Close() { return copy_->close(store_); }

 private:
  const VarveCopy* const copy_;
  void* store_;
  std::string error_;
};

class TwoCopiesTest : public testing::Test {
 protected:
  const VarveCopy* const first_ = VarveCopyOne();
  const VarveCopy* const second_ = VarveCopyTwo();
  const ScratchDirectory scratch_;
  const std::string one_ = scratch_ / "one";
  const std::string two_ = scratch_ / "two";
};

void AppendMany(OpenedStore& store, int count) {
  for (int i = 0; i < count; ++i) ASSERT_GE(store.Append(), 0);
}

TEST_F(TwoCopiesTest, CopiesShareNoVariable) {
  ASSERT_NE(first_->variable(), nullptr);
  ASSERT_NE(second_->variable(), nullptr);
  EXPECT_NE(first_->variable(), second_->variable());
  EXPECT_NE(first_->open, second_->open);
}

TEST_F(TwoCopiesTest, ClosingOneLeavesTheOtherAtWork) {
  OpenedStore one(first_, one_);
  OpenedStore two(second_, two_);
  ASSERT_TRUE(one.is_open()) << one.error();
  ASSERT_TRUE(two.is_open()) << two.error();
  std::vector<std::thread> threads;
  for (OpenedStore* store : {&one, &two}) {
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([store] { AppendMany(*store, 2000); });
    }
  }
  for (std::thread& thread : threads) thread.join();
  std::thread appender([&two] { AppendMany(two, 2000); });
  EXPECT_TRUE(one.Close());
  appender.join();
  EXPECT_EQ(one.Append(), -1);
  EXPECT_EQ(two.Append(), 6000);
  EXPECT_EQ(two.Count(), 6001);
  EXPECT_TRUE(two.Close());
}

TEST_F(TwoCopiesTest, StoreOfOneIsRefusedToTheOtherUntilItIsClosed) {
  OpenedStore one(first_, one_);
  ASSERT_TRUE(one.is_open()) << one.error();
  AppendMany(one, 3);
  {
    const OpenedStore refused(second_, one_);
    ASSERT_FALSE(refused.is_open());
    EXPECT_THAT(refused.error(),
                AllOf(HasSubstr("FAILED_PRECONDITION"), HasSubstr(one_),
                      HasSubstr("another writer has it open")));
  }
  // Looking has not released the lock.
  EXPECT_FALSE(OpenedStore(second_, one_).is_open());
  EXPECT_EQ(one.Append(), 3);
  EXPECT_TRUE(one.Close());
  OpenedStore other(second_, one_);
  ASSERT_TRUE(other.is_open()) << other.error();
  EXPECT_EQ(other.Count(), 4);
  EXPECT_FALSE(OpenedStore(first_, one_).is_open());
}

TEST_F(TwoCopiesTest, ForkedChildCanUseNeitherAndHoldsNoLock) {
  OpenedStore one(first_, one_);
  OpenedStore two(second_, two_);
  ASSERT_TRUE(one.is_open() && two.is_open());
  AppendMany(one, 1);
  AppendMany(two, 1);
  int told[2];
  int ended[2];
  ASSERT_EQ(pipe(told), 0);
  ASSERT_EQ(pipe(ended), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    close(ended[1]);
    const char both_refuse = one.Append() == -1 && two.Append() == -1 ? 1 : 0;
    if (write(told[1], &both_refuse, 1) != 1) _exit(1);
    // Lives on until the parent is done.
    char byte = 0;
    if (read(ended[0], &byte, 1) != 0) _exit(1);
    _exit(0);
  }
  char both_refuse = 0;
  ASSERT_EQ(read(told[0], &both_refuse, 1), 1);
  EXPECT_EQ(both_refuse, 1);
  EXPECT_EQ(one.Append(), 1);
  EXPECT_EQ(two.Append(), 1);
  // Each can have the other's store, with the child alive.
  EXPECT_TRUE(one.Close());
  EXPECT_TRUE(two.Close());
  EXPECT_EQ(OpenedStore(second_, one_).Count(), 2);
  EXPECT_EQ(OpenedStore(first_, two_).Count(), 2);
  close(ended[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (int number : {told[0], told[1], ended[0]}) close(number);
}

// The kernel's state of a thread of this process.
struct ThreadState {
  std::string name;
  uint64_t blocked_signals = 0;
};

std::vector<ThreadState> VarveThreads() {
  std::vector<ThreadState> threads;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task")) {
    ThreadState thread;
    std::ifstream status(task.path() / "status");
    for (std::string key; status >> key;) {
      if (key == "Name:") status >> thread.name;
      if (key == "SigBlk:") status >> std::hex >> thread.blocked_signals;
    }
    if (thread.name.starts_with("varve-")) threads.push_back(thread);
  }
  return threads;
}

// Written by the handler alone.
volatile sig_atomic_t handled = 0;

TEST_F(TwoCopiesTest, SignalsAreTheProgramsWhateverTheCopiesDo) {
  struct sigaction before = {};
  ASSERT_EQ(sigaction(SIGUSR1, nullptr, &before), 0);
  OpenedStore one(first_, one_);
  OpenedStore two(second_, two_);
  ASSERT_TRUE(one.is_open() && two.is_open());
  const std::vector<ThreadState> threads = VarveThreads();
  EXPECT_EQ(threads.size(), 6u);  // three duties each
  for (const ThreadState& thread : threads) {
    EXPECT_NE(thread.blocked_signals & (uint64_t{1} << (SIGUSR1 - 1)), 0u)
        << thread.name;
  }
  struct sigaction after = {};
  ASSERT_EQ(sigaction(SIGUSR1, nullptr, &after), 0);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
  after.sa_handler = [](int) { handled = handled + 1; };
  ASSERT_EQ(sigaction(SIGUSR1, &after, nullptr), 0);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
    ASSERT_EQ(one.Append(), i);
    ASSERT_EQ(two.Append(), i);
  }
  EXPECT_EQ(handled, 100);
  ASSERT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);
  EXPECT_TRUE(one.Close());
  EXPECT_TRUE(two.Close());
  EXPECT_TRUE(VarveThreads().empty());
}

}  // namespace
}  // namespace varve
