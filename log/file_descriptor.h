// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_FILE_DESCRIPTOR_H_
#define VARVE_LOG_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace varve {

// Owns an open file descriptor, or none; closes it on destruction.
//
// Thread safety: externally synchronized.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  // An error of close(2) is of no use here: whoever cares has synced before,
  // and on Linux the descriptor is gone in every case.
  ~FileDescriptor() {
    if (is_open()) close(number_);
  }

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_ = -1;
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
