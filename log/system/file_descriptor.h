// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_FILE_DESCRIPTOR_H_
#define VARVE_LOG_SYSTEM_FILE_DESCRIPTOR_H_

#include <cerrno>
#include <utility>

#include "absl/functional/function_ref.h"
#include "varve/log/system/fork_mark.h"

namespace varve {

// Owns an open file descriptor, or none; closes it on destruction.
//
// It is never 0, 1 or 2: programs that close their standard descriptors still
// print and read, and would overwrite a file of the store in their place.
//
// In a forked child all open ones are closed at once, so that the child does
// not keep a lock of its parent; `number` is -1 there, and no descriptor is
// closed twice.
//
// Thread safety: externally synchronized.
class FileDescriptor {
 public:
  FileDescriptor() = default;

  // Calls `open` and owns the descriptor that it returns, or none for -1; errno
  // is kept. No fork happens in between, so no child has a descriptor that it
  // does not know of. There is no other way to own one.
  //
  // May throw std::bad_alloc; nothing is open then.
  static FileDescriptor Open(absl::FunctionRef<int()> open);

  FileDescriptor(FileDescriptor&& other) noexcept { *this = std::move(other); }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    std::swap(opened_in_, other.opened_in_);
    return *this;
  }
  // An error of close(2) is of no use here: callers that care have synced
  // before, and Linux closes the descriptor in every case.
  ~FileDescriptor() {
    if (is_open()) Close();
  }

  bool is_open() const { return number() >= 0; }
  int number() const { return opened_in_.in_child() ? -1 : number_; }

 private:
  void Close();

  int number_ = -1;
  ForkMark opened_in_;
};

// Repeats a system call as long as a signal interrupts it. Returns its result:
// -1 and errno for a failure.
template <typename Call>
auto RetryInterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_FILE_DESCRIPTOR_H_
