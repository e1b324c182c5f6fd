// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/file_descriptor.h"

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
#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"

namespace varve {
namespace {

// The open descriptors, for a forked child to close.
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
  // Memory ordering: it is stored again only in a child, which has one thread
  // then.
  static std::atomic<OpenDescriptors*>& Present() {
    static absl::NoDestructor<OpenDescriptors> first;
    static absl::NoDestructor<std::atomic<OpenDescriptors*>> present(&*first);
    return *present;
  }

  // Allocates what the child will need: its memory allocator may be locked.
  void BeforeFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const std::scoped_lock turn(turn_);
    forking_.lock();
    if (of_child_ == nullptr) of_child_ = std::make_unique<OpenDescriptors>();
  }
  void AfterForkInParent() { forking_.unlock(); }

  // The child has one thread, so there is no other to wait for or to wake. No
  // thread was changing the numbers at the fork. The mutexes of this object may
  // be in any state, so a new object is used from now on. `forking_` is held by
  // this thread, and is unlocked for the checks of lock order.
  void AfterForkInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (int number : numbers_) close(number);
    forking_.unlock();
    Present().store(of_child_.get(), std::memory_order_release);
  }

  // Of the standard library: in debug builds each absl::Mutex enters a change
  // into one graph of them all, whose lock a child may find held for ever.
  std::mutex turn_;            // held to take `forking_`, so that a fork's
                               // turn comes however many open and close
  std::shared_mutex forking_;  // shared: by who opens or closes
  absl::Mutex mu_;
  std::set<int> numbers_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<OpenDescriptors> of_child_;  // changed with `forking_` held
};

constexpr int kFirstOfOurs = STDERR_FILENO + 1;
static_assert(STDIN_FILENO == 0 && STDOUT_FILENO == 1 && STDERR_FILENO == 2,
              "the standard descriptors are all those below");

// A placeholder counts as closed: it is open only for a moment.
bool IsOpen(int number) {
  const int flags = fcntl(number, F_GETFL);
  return flags >= 0 && (flags & O_PATH) == 0;
}

// While it lives, placeholders take the standard descriptors that the program
// has closed, so that the kernel gives a file of the store another number at
// once: until it was moved, the program could print into it. Writing to a
// placeholder fails as it does with a closed descriptor.
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
  // Leaves a number that the program has opened again meanwhile.
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

// Calls `open`, and returns a number above the standard descriptors.
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
  // The program has closed one since, or no descriptor was left for a
  // placeholder.
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
    CHECK(opened.number_ < 0 || opened.number_ >= kFirstOfOurs)
        << opened.number_;
    if (opened.number_ >= 0) OpenDescriptors::Get().Note(opened.number_);
  });
  errno = error;
  return opened;
}

// Forgets it first: once it is closed, the number may be given to another file.
void FileDescriptor::Close() {
  OpenDescriptors::Get().WithoutFork([&] {
    OpenDescriptors::Get().Forget(number_);
    close(number_);
  });
  number_ = -1;
}

}  // namespace varve
