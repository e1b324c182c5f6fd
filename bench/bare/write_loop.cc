// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/write_loop.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "bench/bare/bare_batch.h"

namespace varve::bench {
namespace {

constexpr int64_t kTimestampMs = 1700000000000;

void WriteZeros(int fd, int64_t size) {
  const std::vector<char> zeros(1 << 16);
  for (int64_t at = 0; at < size; at += static_cast<int64_t>(zeros.size())) {
    PCHECK(pwrite(fd, zeros.data(), zeros.size(), at) ==
           static_cast<ssize_t>(zeros.size()));
  }
  PCHECK(fdatasync(fd) == 0);
}

}  // namespace

WriteLoop::WriteLoop(File file, int64_t size_bytes) {
  const std::string path = directory_.path() + "/written";
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  PCHECK(fd_ >= 0) << path;
  if (file == File::kPreallocated) WriteZeros(fd_, size_bytes);
}

WriteLoop::~WriteLoop() { PCHECK(close(fd_) == 0); }

void WriteLoop::Append(std::string_view value, int count) {
  thread_local std::vector<char> buffer;
  buffer.resize(
      std::max(buffer.size(),
               kBareHeaderSize + static_cast<size_t>(count) *
                                     (value.size() + kBareRecordOverheadMax)));
  const char* end =
      EncodeBareBatch(value, count, next_offset_, kTimestampMs, buffer.data());
  const ssize_t size = end - buffer.data();
  PCHECK(pwrite(fd_, buffer.data(), static_cast<size_t>(size), position_) ==
         size);
  position_ += size;
  next_offset_ += count;
}

void WriteLoop::Sync() { PCHECK(fdatasync(fd_) == 0); }

}  // namespace varve::bench
