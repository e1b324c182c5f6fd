// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/copy_loop.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "bench/bare/bare_batch.h"

namespace varve::bench {
namespace {

std::string_view Map(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  PCHECK(fd >= 0) << path;
  struct stat facts;
  PCHECK(fstat(fd, &facts) == 0) << path;
  const auto size = static_cast<size_t>(facts.st_size);
  if (size == 0) {
    PCHECK(close(fd) == 0) << path;
    return {};
  }
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  PCHECK(mapped != MAP_FAILED) << path;
  PCHECK(close(fd) == 0) << path;
  return {static_cast<const char*>(mapped), size};
}

}  // namespace

CopyLoop::CopyLoop(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const std::string_view file = Map(path);
    if (file.empty()) continue;
    files_.push_back(file);
    size_bytes_ += static_cast<int64_t>(file.size());
  }
  CHECK(!files_.empty());
  const std::string path = directory_.path() + "/copied";
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  PCHECK(fd_ >= 0) << path;
}

CopyLoop::~CopyLoop() {
  for (const std::string_view file : files_) {
    PCHECK(munmap(const_cast<char*>(file.data()), file.size()) == 0);
  }
  PCHECK(close(fd_) == 0);
}

int64_t CopyLoop::Read(int64_t bytes) {
  const std::string_view file = files_[file_];
  const char* const begin = file.data() + position_;
  const char* const end = file.data() + file.size();
  const char* at = begin;
  while (at < end && at - begin < bytes) {
    const char* const next = BareBatchEnd(at);
    CHECK(HasRightBareCrc(at, next));
    at = next;
  }
  read_ = {begin, static_cast<size_t>(at - begin)};
  position_ += read_.size();
  if (position_ == file.size()) {
    position_ = 0;
    file_ = file_ + 1 == files_.size() ? 0 : file_ + 1;
  }
  return static_cast<int64_t>(read_.size());
}

void CopyLoop::Write(int64_t bytes) {
  const std::string_view piece = read_.substr(0, static_cast<size_t>(bytes));
  PCHECK(pwrite(fd_, piece.data(), piece.size(), written_bytes_) ==
         static_cast<ssize_t>(piece.size()));
  written_bytes_ += static_cast<int64_t>(piece.size());
}

void CopyLoop::Sync() { PCHECK(fdatasync(fd_) == 0); }

}  // namespace varve::bench
