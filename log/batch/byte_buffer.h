// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_BYTE_BUFFER_H_
#define VARVE_LOG_BATCH_BYTE_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/log/check.h"

namespace varve {

// Bytes at one place in memory, to which more are appended. Unlike a
// std::string it does not clear what it makes room for. It grows by doubling,
// and keeps its memory: one that is used again stops allocating.
//
// Thread safety: externally synchronized.
class ByteBuffer {
 public:
  const char* data() const { return bytes_.get(); }
  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  // Makes room for `extra` bytes after the present ones, and returns where they
  // go. They count once `Extend` says so. Pointers into the buffer are invalid
  // after it.
  char* Reserve(size_t extra) {
    if (capacity_ - size_ < extra) {
      const size_t capacity = std::max(size_ + extra, 2 * capacity_);
      std::unique_ptr<char[]> bytes(new char[capacity]);
      if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
      bytes_ = std::move(bytes);
      capacity_ = capacity;
    }
    return bytes_.get() + size_;
  }

  // Adds the first `count` bytes of the room, which the caller has written.
  void Extend(size_t count) {
    DCHECK_LE(count, capacity_ - size_);
    size_ += count;
  }

  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(Reserve(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  // Forgets the bytes from `size` on; the memory stays.
  void Truncate(size_t size) {
    DCHECK_LE(size, size_);
    size_ = size;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t size_ = 0;  // Invariant: at most `capacity_`.
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_BYTE_BUFFER_H_
