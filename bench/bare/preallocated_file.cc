// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/preallocated_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/log/check.h"

namespace varve::bench {
namespace {

// Larger writes would leave larger folios in the page cache, and each small
// write that is synced later would write a whole one.
constexpr int64_t kPiece = 4096;

}  // namespace

int NewPreallocatedFile(const std::string& path, int64_t size_bytes) {
  const int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  PCHECK(fd >= 0) << path;
  const std::vector<char> zeros(kPiece);
  for (int64_t at = 0; at < size_bytes; at += kPiece) {
    const auto size = static_cast<size_t>(std::min(kPiece, size_bytes - at));
    PCHECK(pwrite(fd, zeros.data(), size, at) == static_cast<ssize_t>(size))
        << path;
  }
  PCHECK(fdatasync(fd) == 0) << path;
  return fd;
}

int OpenDirect(const std::string& path) {
  int fd = open(path.c_str(), O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
  if (fd < 0) fd = open(path.c_str(), O_RDWR | O_DSYNC | O_CLOEXEC);
  PCHECK(fd >= 0) << path;
  return fd;
}

}  // namespace varve::bench
