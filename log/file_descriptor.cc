// SPDX-License-Identifier: Apache-2.0

#include "log/file_descriptor.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <shared_mutex>

#include "absl/base/no_destructor.h"
#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"

namespace varve {
namespace {

// Every descriptor that is open, for a child to close.
class OpenDescriptors {
 public:
  static OpenDescriptors& Get() {
    static const bool watching =
        pthread_atfork([] { Present().load()->BeforeFork(); },
                       [] { Present().load()->AfterForkInParent(); },
                       [] { Present().load()->AfterForkInChild(); }) == 0;
    if (!watching) throw std::bad_alloc();
    return *Present().load(std::memory_order_acquire);
  }

  // Calls `change`, which opens or closes, with no fork in between.
  template <typename Change>
  void WithoutFork(Change change) {
    std::unique_lock turn(turn_);
    std::shared_lock hold(forking_);
    turn.unlock();
    change();
  }
  void Note(int number) {
    absl::MutexLock lock(&mu_);
    numbers_.insert(number);
  }
  void Forget(int number) {
    absl::MutexLock lock(&mu_);
    numbers_.erase(number);
  }

 private:
  // Memory ordering: another one is stored in a child alone, which has one
  // thread then.
  static std::atomic<OpenDescriptors*>& Present() {
    static absl::NoDestructor<OpenDescriptors> first;
    static absl::NoDestructor<std::atomic<OpenDescriptors*>> present(&*first);
    return *present;
  }

  // What the child will need is made here: its memory allocator may be locked.
  void BeforeFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const std::scoped_lock turn(turn_);
    forking_.lock();
    if (of_child_ == nullptr) of_child_ = std::make_unique<OpenDescriptors>();
  }
  void AfterForkInParent() { forking_.unlock(); }

  // There is one thread only, and nobody to wait for or to wake. The numbers
  // were not being changed when the fork was made; the mutexes of this object
  // may be in any state, so others are used from now on. `forking_` is this
  // thread's, and is given back for those who watch the order of locks.
  void AfterForkInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (int number : numbers_) close(number);
    forking_.unlock();
    Present().store(of_child_.get(), std::memory_order_release);
  }

  // Of the standard library: an absl::Mutex enters each change in one graph of
  // all of them in debug builds, whose own lock a child may find held for ever.
  std::mutex turn_;            // held to take `forking_`, so that a fork's
                               // turn comes however many open and close
  std::shared_mutex forking_;  // shared: by who opens or closes
  absl::Mutex mu_;
  std::set<int> numbers_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<OpenDescriptors> of_child_;  // changed with `forking_` held
};

constexpr int kFirstOfOurs = STDERR_FILENO + 1;

// A placeholder counts as closed: it is open for a moment only.
bool IsOpen(int number) {
  const int flags = fcntl(number, F_GETFL);
  return flags >= 0 && (flags & O_PATH) == 0;
}

// While it lives, the standard descriptors that the program has closed are
// taken by placeholders, so that the kernel gives a file of the store another
// number from the first: moved there later, it could be printed into before.
// What is written to a placeholder fails as it does with a closed descriptor.
class StandardDescriptors {
 public:
  StandardDescriptors() {
    for (int number = 0; number < kFirstOfOurs; ++number) {
      const int taken = open("/", O_PATH | O_CLOEXEC);
      if (taken >= kFirstOfOurs) close(taken);
      if (taken < 0 || taken >= kFirstOfOurs) return;
      taken_.at(static_cast<size_t>(taken)) = true;
    }
  }
  StandardDescriptors(const StandardDescriptors&) = delete;
  StandardDescriptors& operator=(const StandardDescriptors&) = delete;
  // One that the program has replaced meanwhile is the program's.
  ~StandardDescriptors() {
    const int error = errno;
    for (int number = 0; number < kFirstOfOurs; ++number) {
      if (taken_.at(static_cast<size_t>(number)) && !IsOpen(number))
        close(number);
    }
    errno = error;
  }

 private:
  std::array<bool, kFirstOfOurs> taken_ = {};
};

// What `open` returns, above the standard descriptors.
int OpenAboveStandard(absl::FunctionRef<int()> open) {
  static absl::NoDestructor<absl::Mutex> placeholders;
  int number = -1;
  if (IsOpen(STDIN_FILENO) && IsOpen(STDOUT_FILENO) && IsOpen(STDERR_FILENO)) {
    number = open();
  } else {
    absl::MutexLock one_at_a_time(placeholders.get());
    const StandardDescriptors taken;
    number = open();
  }
  if (number < 0 || number >= kFirstOfOurs) return number;
  // Closed just now, or there was no descriptor left for a placeholder.
  const int moved = fcntl(number, F_DUPFD_CLOEXEC, kFirstOfOurs);
  const int error = errno;
  close(number);
  errno = error;
  return moved;
}

}  // namespace

FileDescriptor FileDescriptor::Open(absl::FunctionRef<int()> open) {
  FileDescriptor opened;
  int error = 0;
  OpenDescriptors::Get().WithoutFork([&] {
    opened.number_ = OpenAboveStandard(open);
    error = errno;
    if (opened.number_ >= 0) OpenDescriptors::Get().Note(opened.number_);
  });
  errno = error;
  return opened;
}

// Forgotten first: once it is closed, the number may be another one's.
void FileDescriptor::Close() {
  OpenDescriptors::Get().WithoutFork([&] {
    OpenDescriptors::Get().Forget(number_);
    close(number_);
  });
  number_ = -1;
}

}  // namespace varve
