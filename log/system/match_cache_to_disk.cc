// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/match_cache_to_disk.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_descriptor.h"
#include "varve/log/system/file_system_type.h"

namespace varve {
namespace {

// Bytes compared at a time.
constexpr int64_t kPiece = int64_t{1} << 20;
static_assert(kPiece % kDiskReadAlignment == 0);

struct AlignedDelete {
  void operator()(char* bytes) const {
    ::operator delete (bytes, std::align_val_t{kDiskReadAlignment});
  }
};

// A piece of memory that O_DIRECT reads into.
class AlignedPiece {
 public:
  AlignedPiece()
      : bytes_(static_cast<char*>(::operator new (
            size_t{kPiece}, std::align_val_t{kDiskReadAlignment}))) {}
  absl::Span<char> span() { return {bytes_.get(), size_t{kPiece}}; }

 private:
  std::unique_ptr<char, AlignedDelete> bytes_;
};

absl::Status SyncFile(int descriptor, const std::string& path) {
  if (fdatasync(descriptor) == 0) return absl::OkStatus();
  return SyncErrnoStatus(errno, "fdatasync", path);
}

absl::StatusOr<int64_t> SizeOf(int descriptor, const std::string& path) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return ErrnoStatus(errno, "fstat", path);
  return int64_t{status.st_size};
}

// Whether the file is in memory only, without a disk.
absl::StatusOr<bool> IsMemory(int descriptor, const std::string& path) {
  struct statfs status;
  if (RetryInterrupted([&] { return fstatfs(descriptor, &status); }) != 0)
    return ErrnoStatus(errno, "fstatfs", path);
  return SupportOf(FileSystemTypeOf(int64_t{status.f_type})) ==
         FileSystemSupport::kNotDurable;
}

// Compares a file's cached pages, piece by piece, with the disk.
class PageMatcher {
 public:
  PageMatcher(int descriptor, const std::string& path, ReadDisk read_disk)
      : descriptor_(descriptor), path_(path), read_disk_(read_disk) {
    CHECK_EQ(kDiskReadAlignment % page_size_, 0);
  }

  // Returns whether anything was overwritten.
  absl::StatusOr<bool> MatchAll(int64_t size) {
    bool changed = false;
    for (int64_t at = 0; at < size; at += kPiece) {
      absl::StatusOr<bool> piece = MatchPiece(at, std::min(kPiece, size - at));
      if (!piece.ok()) return piece;
      changed = changed || *piece;
    }
    return changed;
  }

 private:
  absl::StatusOr<bool> MatchPiece(int64_t at, int64_t size) {
    absl::Status status = FindCached(at, size);
    if (!status.ok()) return status;
    if (std::find(is_cached_.begin(), is_cached_.end(), true) ==
        is_cached_.end()) {
      return false;
    }
    const absl::StatusOr<size_t> read = read_disk_(at, disk_.span());
    if (!read.ok()) return read.status();
    if (static_cast<int64_t>(*read) < size) {
      return absl::UnavailableError(
          absl::StrCat(path_, ": became shorter while it was read"));
    }
    bool changed = false;
    for (int64_t in_piece = 0; in_piece < size; in_piece += page_size_) {
      if (!is_cached_[static_cast<size_t>(in_piece / page_size_)]) continue;
      absl::StatusOr<bool> page = MatchPage(
          at + in_piece,
          disk_.span().subspan(
              static_cast<size_t>(in_piece),
              static_cast<size_t>(std::min(page_size_, size - in_piece))));
      if (!page.ok()) return page;
      changed = changed || *page;
    }
    return changed;
  }

  // Finds which pages of the piece are in the kernel's cache. Where the kernel
  // does not say, all count as cached.
  absl::Status FindCached(int64_t at, int64_t size) {
    void* const mapped = mmap(nullptr, static_cast<size_t>(size), PROT_READ,
                              MAP_SHARED, descriptor_, at);
    if (mapped == MAP_FAILED) return ErrnoStatus(errno, "mmap", path_);
    std::vector<unsigned char> in_core(
        static_cast<size_t>((size + page_size_ - 1) / page_size_), 1);
    // A failure leaves every page marked as cached.
    (void)mincore(mapped, static_cast<size_t>(size), in_core.data());
    munmap(mapped, static_cast<size_t>(size));
    is_cached_.assign(in_core.size(), false);
    for (size_t i = 0; i < in_core.size(); ++i)
      is_cached_[i] = (in_core[i] & 1) != 0;
    return absl::OkStatus();
  }

  absl::StatusOr<bool> MatchPage(int64_t at, absl::Span<const char> disk) {
    std::string cached(disk.size(), '\0');
    const ssize_t read = RetryInterrupted(
        [&] { return pread(descriptor_, cached.data(), cached.size(), at); });
    if (read < 0) return ErrnoStatus(errno, "pread", path_);
    if (cached == std::string_view(disk.data(), disk.size())) return false;
    for (size_t done = 0; done < disk.size();) {
      const ssize_t written = RetryInterrupted([&] {
        return pwrite(descriptor_, disk.data() + done, disk.size() - done,
                      at + static_cast<int64_t>(done));
      });
      if (written < 0) return ErrnoStatus(errno, "pwrite", path_);
      done += static_cast<size_t>(written);
    }
    return true;
  }

  const int descriptor_;
  const std::string& path_;
  const ReadDisk read_disk_;
  const int64_t page_size_ = sysconf(_SC_PAGESIZE);
  AlignedPiece disk_;
  std::vector<bool> is_cached_;  // by page of the piece
};

// Reads past the cache through the same descriptor, which has O_DIRECT only
// during a read, so that no other one is needed.
class DirectReads {
 public:
  DirectReads(int descriptor, const std::string& path)
      : descriptor_(descriptor),
        path_(path),
        flags_(fcntl(descriptor, F_GETFL)) {}

  absl::StatusOr<size_t> Read(int64_t at, absl::Span<char> out) {
    const absl::StatusOr<int64_t> size = SizeOf(descriptor_, path_);
    if (!size.ok()) return size.status();
    // Stops at the end of the file, where the position may not be aligned.
    const size_t wanted = std::min(
        out.size(), static_cast<size_t>(std::max<int64_t>(*size - at, 0)));
    if (!CanReadPastCache() ||
        fcntl(descriptor_, F_SETFL, flags_ | O_DIRECT) != 0) {
      return CannotTell();
    }
    size_t done = 0;
    ssize_t count = 1;
    while (done < wanted && count > 0) {
      count = RetryInterrupted([&] {
        return pread(descriptor_, out.data() + done, out.size() - done,
                     at + static_cast<int64_t>(done));
      });
      done += static_cast<size_t>(std::max<ssize_t>(count, 0));
    }
    const int error = errno;
    fcntl(descriptor_, F_SETFL, flags_);
    if (count < 0 && error == EINVAL) return CannotTell();
    if (count < 0)
      return ErrnoStatus(error, absl::StrCat("direct pread at ", at), path_);
    return done;
  }

 private:
  // A file system may accept the flag and still read from its cache (encrypted
  // or journaled files); newer kernels report that.
  bool CanReadPastCache() const {
#ifdef STATX_DIOALIGN
    struct statx facts = {};
    if (statx(descriptor_, "", AT_EMPTY_PATH, STATX_DIOALIGN, &facts) == 0 &&
        (facts.stx_mask & STATX_DIOALIGN) != 0) {
      return facts.stx_dio_offset_align != 0 &&
             facts.stx_dio_offset_align <= kDiskReadAlignment;
    }
#endif
    return flags_ >= 0;
  }

  absl::Status CannotTell() const {
    return absl::FailedPreconditionError(absl::StrCat(
        path_,
        ": a process has it mapped, so it is read from the cache, and this "
        "file system cannot be read past it (O_DIRECT): what the disk holds "
        "cannot be told; end every process that reads the store, drop all "
        "views of it, and try again"));
  }

  const int descriptor_;
  const std::string& path_;
  const int flags_;
};

}  // namespace

absl::Status MatchCachedPages(int descriptor, const std::string& path,
                              ReadDisk read_disk) {
  const absl::StatusOr<int64_t> size = SizeOf(descriptor, path);
  if (!size.ok()) return size.status();
  const absl::StatusOr<bool> changed =
      PageMatcher(descriptor, path, read_disk).MatchAll(*size);
  if (!changed.ok()) return changed.status();
  return *changed ? SyncFile(descriptor, path) : absl::OkStatus();
}

absl::Status MatchCacheToDisk(int descriptor, const std::string& path) {
  if (absl::Status status = SyncFile(descriptor, path); !status.ok())
    return status;
  const absl::StatusOr<bool> is_memory = IsMemory(descriptor, path);
  if (!is_memory.ok()) return is_memory.status();
  if (*is_memory) return absl::OkStatus();
  const int error = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  if (error != 0) return ErrnoStatus(error, "posix_fadvise", path);
  DirectReads direct(descriptor, path);
  return MatchCachedPages(
      descriptor, path,
      [&](int64_t at, absl::Span<char> out) { return direct.Read(at, out); });
}

}  // namespace varve
