// SPDX-License-Identifier: Apache-2.0

#include "log/posix_mapping.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/log/absl_check.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/errno_status.h"
#include "log/file_system.h"

namespace varve {

absl::StatusOr<std::unique_ptr<Mapping>> PosixMapping::Map(
    int descriptor, const std::string& path, size_t size, MapAccess access) {
  const int protection =
      access == MapAccess::kReadWrite ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const data = mmap(nullptr, size, protection, MAP_SHARED | MAP_NORESERVE,
                          descriptor, 0);
  if (data == MAP_FAILED) return ErrnoStatus(errno, "mmap", path);
  return absl::WrapUnique(
      new PosixMapping(static_cast<char*>(data), size, path));
}

PosixMapping::PosixMapping(char* data, size_t size, std::string path)
    : Mapping(data, size), path_(std::move(path)) {}

PosixMapping::~PosixMapping() {
  // It fails for a range that was never mapped, and for want of the memory to
  // split one, which a whole mapping does not need.
  ABSL_CHECK_EQ(munmap(data(), size()), 0) << path_;
}

absl::Status PosixMapping::ProtectReadOnly() {
  if (mprotect(data(), size(), PROT_READ) != 0) {
    return ErrnoStatus(errno, "mprotect", path_);
  }
  return absl::OkStatus();
}

absl::Status PosixMapping::Populate(size_t begin, size_t end) {
  if (madvise(data() + begin, end - begin, MADV_POPULATE_WRITE) == 0 ||
      errno == EINVAL) {  // an older kernel
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, "madvise(MADV_POPULATE_WRITE)", path_);
}

absl::Status PosixMapping::Sync(size_t begin, size_t end) {
  if (msync(data() + begin, end - begin, MS_SYNC) != 0) {
    return ErrnoStatus(errno, "msync", path_);
  }
  return absl::OkStatus();
}

}  // namespace varve
