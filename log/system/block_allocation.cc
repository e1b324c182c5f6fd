// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/block_allocation.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "absl/log/check.h"
#include "varve/log/system/file_descriptor.h"

namespace varve {
namespace {

// No larger, because one big write makes the kernel keep the range in large
// folios, and each small synced store then writes a whole folio.
constexpr int64_t kZerosSize = 4096;
constexpr std::array<char, kZerosSize> kZeros = {};

// A failed fallocate may have taken blocks, and grown the file, up to where the
// disk was full.
int Undo(int descriptor, int64_t size, int error) {
  const int cut = RetryInterrupted([&] { return ftruncate(descriptor, size); });
  return cut == 0 ? error : errno;
}

}  // namespace

bool FileSizeIsAllowed(int64_t end) {
  rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return true;
  return limit.rlim_cur == RLIM_INFINITY ||
         static_cast<uint64_t>(end) <= limit.rlim_cur;
}

int AllocateByWriting(int descriptor, int64_t begin, int64_t end) {
  CHECK_LE(begin, end);
  for (int64_t position = begin; position < end;) {
    const auto size = static_cast<size_t>(std::min(end - position, kZerosSize));
    const ssize_t written = RetryInterrupted(
        [&] { return pwrite(descriptor, kZeros.data(), size, position); });
    if (written < 0) return Undo(descriptor, begin, errno);
    position += written;
  }
  return 0;
}

int AllocateBlocks(int descriptor, int64_t begin, int64_t end) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return errno;
  // Undo must cut only bytes that were added here.
  if (begin != status.st_size || end < begin) return EINVAL;
  if (begin == end) return 0;
  if (!FileSizeIsAllowed(end)) return EFBIG;
  const int result = RetryInterrupted(
      [&] { return fallocate(descriptor, 0, begin, end - begin); });
  if (result == 0) return 0;
  if (errno == EOPNOTSUPP || errno == ENOSYS) {
    return AllocateByWriting(descriptor, begin, end);
  }
  return Undo(descriptor, begin, errno);
}

}  // namespace varve
