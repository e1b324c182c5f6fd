// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/posix_mapping.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/dynamic_annotations.h"
#include "absl/log/absl_check.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_system.h"

namespace varve {

namespace {

// Reserves address space only; memory is used once pages are written.
void* Reserve(int descriptor, size_t size, MapAccess access) {
  switch (access) {
    case MapAccess::kReadOnly:
      return mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    case MapAccess::kReadWrite:
      return mmap(nullptr, size, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_NORESERVE, descriptor, 0);
    case MapAccess::kPrivate:
      return mmap(nullptr, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  return MAP_FAILED;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Mapping>> PosixMapping::Map(
    int descriptor, const std::string& path, size_t size, MapAccess access) {
  void* const data = Reserve(descriptor, size, access);
  if (data == MAP_FAILED) return ErrnoStatus(errno, "mmap", path);
  return absl::WrapUnique(
      new PosixMapping(static_cast<char*>(data), size, access, path));
}

absl::StatusOr<std::unique_ptr<Mapping>> PosixMapping::MapMemory(size_t size) {
  const std::string path = absl::StrCat(size, " bytes of memory");
  void* const data = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return ErrnoStatus(errno, "mmap", path);
  // A hint: a kernel without large pages does nothing.
  static_cast<void>(madvise(data, size, MADV_HUGEPAGE));
  return absl::WrapUnique(new PosixMapping(static_cast<char*>(data), size,
                                           MapAccess::kPrivate, path));
}

absl::Status PosixMapping::ShowFile(int descriptor, const std::string& path,
                                    Mapping& mapping, int64_t begin,
                                    int64_t end) {
  // MAP_FIXED takes the place of whatever is there.
  ABSL_CHECK_LE(begin, end);
  ABSL_CHECK_LE(end, static_cast<int64_t>(mapping.size()));
  void* const at = mapping.data() + begin;
  const auto size = static_cast<size_t>(end - begin);
  // Concurrent readers see the same bytes before and after; ThreadSanitizer
  // takes every mmap for a write.
  ABSL_ANNOTATE_IGNORE_WRITES_BEGIN();
  const void* const shown =
      mmap(at, size, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, begin);
  ABSL_ANNOTATE_IGNORE_WRITES_END();
  if (shown != MAP_FAILED) return absl::OkStatus();
  return ErrnoStatus(errno, "mmap(MAP_FIXED)", path);
}

PosixMapping::PosixMapping(char* data, size_t size, MapAccess access,
                           std::string path)
    : Mapping(data, size), access_(access), path_(std::move(path)) {}

PosixMapping::~PosixMapping() {
  // munmap fails only for a range that was never mapped, or without the memory
  // to split a mapping, which a whole one does not need.
  ABSL_CHECK_EQ(munmap(data(), size()), 0) << path_;
}

absl::Status PosixMapping::ProtectReadOnly() {
  if (mprotect(data(), size(), PROT_READ) != 0) {
    return ErrnoStatus(errno, "mprotect", path_);
  }
  return absl::OkStatus();
}

absl::Status PosixMapping::Populate(size_t begin, size_t end) {
  ABSL_CHECK_LE(begin, end);
  ABSL_CHECK_LE(end, size());
  if (madvise(data() + begin, end - begin, MADV_POPULATE_WRITE) == 0 ||
      errno == EINVAL) {  // an older kernel
    return absl::OkStatus();
  }
  return ErrnoStatus(errno, "madvise(MADV_POPULATE_WRITE)", path_);
}

void PosixMapping::LetGo(size_t begin, size_t end) {
  ABSL_CHECK_LE(begin, end);
  ABSL_CHECK_LE(end, size());
  ABSL_CHECK(access_ != MapAccess::kPrivate) << path_;
  // It fails for memory that the program has locked: the sync takes longer
  // then.
  static_cast<void>(madvise(data() + begin, end - begin, MADV_DONTNEED));
}

absl::Status PosixMapping::Sync(size_t begin, size_t end) {
  ABSL_CHECK_LE(begin, end);
  ABSL_CHECK_LE(end, size());
  if (msync(data() + begin, end - begin, MS_SYNC) != 0) {
    return SyncErrnoStatus(errno, "msync", path_);
  }
  return absl::OkStatus();
}

}  // namespace varve
