// SPDX-License-Identifier: Apache-2.0

#include "log/file_descriptor.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <set>

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
    absl::ReaderMutexLock hold(&forking_);
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
  // `inherited` are those of the parent, in a child.
  explicit OpenDescriptors(const OpenDescriptors* inherited)
      : inherited_(inherited) {}

  // Memory ordering: another one is stored in a child alone, which has one
  // thread then.
  static std::atomic<OpenDescriptors*>& Present() {
    static absl::NoDestructor<std::atomic<OpenDescriptors*>> present(
        new OpenDescriptors(nullptr));
    return *present;
  }

  void BeforeFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { forking_.Lock(); }
  void AfterForkInParent() ABSL_NO_THREAD_SAFETY_ANALYSIS { forking_.Unlock(); }

  // There is one thread only, and nobody to wait for or to wake. The numbers
  // were not being changed when the fork was made; the mutexes may be in any
  // state, so they are left as they are, and others used from now on.
  void AfterForkInChild() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (int number : numbers_) close(number);
    Present().store(new OpenDescriptors(this), std::memory_order_release);
  }

  const OpenDescriptors* const inherited_;  // kept within reach of a leak check

  absl::Mutex forking_;  // shared: by who opens or closes
  absl::Mutex mu_ ABSL_ACQUIRED_AFTER(forking_);
  std::set<int> numbers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

FileDescriptor::FileDescriptor(int number) {
  if (number < 0) return;
  OpenDescriptors::Get().WithoutFork([&] {
    OpenDescriptors::Get().Note(number);
    number_ = number;
  });
}

FileDescriptor FileDescriptor::Open(absl::FunctionRef<int()> open) {
  FileDescriptor opened;
  int error = 0;
  OpenDescriptors::Get().WithoutFork([&] {
    opened.number_ = open();
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
