// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_FILE_DESCRIPTOR_H_
#define VARVE_LOG_FILE_DESCRIPTOR_H_

#include <cerrno>
#include <utility>

#include "absl/functional/function_ref.h"
#include "log/fork_mark.h"

namespace varve {

// Owns an open file descriptor, or none; closes it on destruction.
//
// It is never 0, 1 or 2: programs that close their standard descriptors print
// and read on all the same, and a file of the store in their place would be
// written over.
//
// In a fork'ed child all that were open are closed at once, so that a lock of
// the parent's is not kept by its children; `number` is -1 there, and nothing
// is closed twice.
//
// Thread safety: externally synchronized.
class FileDescriptor {
 public:
  FileDescriptor() = default;

  // Takes what `open` returns: a descriptor, or -1 and errno, which is kept. No
  // fork comes between, after which a child would have it unknown. The only way
  // to one.
  //
  // May throw std::bad_alloc; nothing is open then.
  static FileDescriptor Open(absl::FunctionRef<int()> open);

  FileDescriptor(FileDescriptor&& other) noexcept { *this = std::move(other); }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    std::swap(opened_in_, other.opened_in_);
    return *this;
  }
  // An error of close(2) is of no use here: whoever cares has synced before,
  // and on Linux the descriptor is gone in every case.
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

// Makes a system call again as long as a signal interrupts it. Returns what the
// call does: -1 and errno for a failure.
template <typename Call>
auto RetryInterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace varve

#endif  // VARVE_LOG_FILE_DESCRIPTOR_H_
