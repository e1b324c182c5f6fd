// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/write_loop.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "bench/bare/bare_batch.h"
#include "bench/bare/preallocated_file.h"

namespace varve::bench {
namespace {

constexpr int64_t kTimestampMs = 1700000000000;

int NewGrowingFile(const std::string& path) {
  const int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  PCHECK(fd >= 0) << path;
  return fd;
}

}  // namespace

WriteLoop::WriteLoop(File file, int64_t size_bytes) {
  const std::string path = directory_.path() + "/written";
  fd_ = file == File::kGrowing ? NewGrowingFile(path)
                               : NewPreallocatedFile(path, size_bytes);
}

WriteLoop::~WriteLoop() { PCHECK(close(fd_) == 0); }

void WriteLoop::Append(std::string_view value, int count) {
  char* const begin =
      Buffer(kBareHeaderSize + static_cast<size_t>(count) *
                                   (value.size() + kBareRecordOverheadMax));
  Write(EncodeBareBatch(value, count, next_offset_, kTimestampMs, begin));
  next_offset_ += count;
}

void WriteLoop::AppendPrefixed(std::string_view value, int count) {
  const auto length = static_cast<uint32_t>(value.size());
  char* at =
      Buffer(static_cast<size_t>(count) * (sizeof length + value.size()));
  for (int i = 0; i < count; ++i) {
    std::memcpy(at, &length, sizeof length);
    at += sizeof length;
    std::memcpy(at, value.data(), value.size());
    at += value.size();
  }
  Write(at);
}

void WriteLoop::Sync() { PCHECK(fdatasync(fd_) == 0); }

char* WriteLoop::Buffer(size_t size) {
  if (buffer_.size() < size) buffer_.resize(size);
  return buffer_.data();
}

void WriteLoop::Write(const char* end) {
  const ssize_t size = end - buffer_.data();
  PCHECK(pwrite(fd_, buffer_.data(), static_cast<size_t>(size), position_) ==
         size);
  position_ += size;
}

}  // namespace varve::bench
