// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/log/system/block_allocation.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_descriptor.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/match_cache_to_disk.h"
#include "varve/log/system/posix_mapping.h"

namespace varve {
namespace {

constexpr mode_t kMode = 0600;

// Without O_NONBLOCK, opening a FIFO in the place of a file would wait for
// ever; for regular files it means nothing.
constexpr int kAlways = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

int FlagsFor(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return kAlways | O_RDONLY;
    case OpenMode::kReadWrite:
      return kAlways | O_RDWR;
    case OpenMode::kCreateNew:
      return kAlways | O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kCreate:
      return kAlways | O_RDWR | O_CREAT;
  }
  return kAlways | O_RDONLY;
}

struct Opened {
  FileDescriptor descriptor;
  bool created = false;
};

// Returns 0 or an errno. kCreate takes two steps, so that an existing file
// keeps the mode that its owner set.
int OpenAt(int directory, const std::string& name, OpenMode mode,
           Opened& opened) {
  const auto open_with = [&](int flags) {
    return FileDescriptor::Open([&] {
      return RetryInterrupted(
          [&] { return openat(directory, name.c_str(), flags, kMode); });
    });
  };
  if (mode == OpenMode::kCreate) {
    opened.descriptor = open_with(FlagsFor(mode) | O_EXCL);
    opened.created = opened.descriptor.is_open();
    if (opened.created || errno != EEXIST) return opened.created ? 0 : errno;
  }
  opened.descriptor = open_with(FlagsFor(mode));
  if (!opened.descriptor.is_open()) return errno;
  opened.created = opened.created || mode == OpenMode::kCreateNew;
  return 0;
}

absl::Status NotRegular(const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": not a regular file"));
}

absl::Status OpenError(int error, const std::string& path) {
  switch (error) {
    case ELOOP:
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": a symbolic link, which is not followed"));
    case ENXIO:  // A FIFO or a socket without its other end.
    case ENODEV:
      return NotRegular(path);
    default:
      return ErrnoStatus(error, "open", path);
  }
}

absl::Status CheckRegular(int descriptor, const std::string& path) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return ErrnoStatus(errno, "fstat", path);
  return S_ISREG(status.st_mode) ? absl::OkStatus() : NotRegular(path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<File>> PosixFile::Open(int directory,
                                                      std::string_view name,
                                                      std::string path,
                                                      OpenMode mode) {
  Opened opened;
  const std::string file_name(name);
  const int error = OpenAt(directory, file_name, mode, opened);
  if (error != 0) return OpenError(error, path);
  const int descriptor = opened.descriptor.number();
  if (absl::Status status = CheckRegular(descriptor, path); !status.ok()) {
    return status;
  }
  if (opened.created && fchmod(descriptor, kMode) != 0) {
    const int chmod_error = errno;
    unlinkat(directory, file_name.c_str(), 0);
    return ErrnoStatus(chmod_error, "fchmod", path);
  }
  return absl::WrapUnique(
      new PosixFile(std::move(opened.descriptor), std::move(path)));
}

PosixFile::PosixFile(FileDescriptor descriptor, std::string path)
    : File(std::move(path)), descriptor_(std::move(descriptor)) {}

absl::Status PosixFile::Error(int error, std::string_view call) const {
  return ErrnoStatus(error, call, path());
}

absl::StatusOr<int64_t> PosixFile::Size() {
  struct stat status;
  if (fstat(descriptor_.number(), &status) != 0) return Error(errno, "fstat");
  return int64_t{status.st_size};
}

absl::StatusOr<absl::Time> PosixFile::ModifiedAt() {
  struct stat status;
  if (fstat(descriptor_.number(), &status) != 0) return Error(errno, "fstat");
  return absl::TimeFromTimespec(status.st_mtim);
}

absl::Status PosixFile::SetModifiedAt(absl::Time time) {
  const std::array<timespec, 2> times = {
      {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, absl::ToTimespec(time)}};
  return futimens(descriptor_.number(), times.data()) == 0
             ? absl::OkStatus()
             : Error(errno, "futimens");
}

absl::StatusOr<size_t> PosixFile::ReadAt(int64_t position,
                                         absl::Span<char> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = RetryInterrupted([&] {
      return pread(descriptor_.number(), out.data() + done, out.size() - done,
                   position + static_cast<int64_t>(done));
    });
    if (count < 0) {
      return Error(errno, absl::StrCat("pread of ", out.size(),
                                       " bytes at position ", position));
    }
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

absl::Status PosixFile::WriteAt(int64_t position, std::string_view bytes) {
  const auto call = [&] {
    return absl::StrCat("pwrite of ", bytes.size(), " bytes at position ",
                        position);
  };
  int64_t end;
  if (__builtin_add_overflow(position, bytes.size(), &end) ||
      !FileSizeIsAllowed(end)) {
    return Error(EFBIG, call());
  }
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = RetryInterrupted([&] {
      return pwrite(descriptor_.number(), bytes.data() + done,
                    bytes.size() - done, position + static_cast<int64_t>(done));
    });
    if (count < 0) return Error(errno, call());
    done += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status PosixFile::Allocate(int64_t begin, int64_t end) {
  const int error = AllocateBlocks(descriptor_.number(), begin, end);
  if (error == 0) return absl::OkStatus();
  return Error(error, absl::StrCat("allocate ", end - begin,
                                   " bytes at position ", begin));
}

absl::Status PosixFile::Truncate(int64_t size) {
  const auto call = [&] { return absl::StrCat("ftruncate to ", size); };
  // The limit applies to growing a file as it does to writing.
  if (!FileSizeIsAllowed(size)) {
    absl::StatusOr<int64_t> old_size = Size();
    if (!old_size.ok()) return old_size.status();
    if (size > *old_size) return Error(EFBIG, call());
  }
  const int result =
      RetryInterrupted([&] { return ftruncate(descriptor_.number(), size); });
  if (result != 0) return Error(errno, call());
  return absl::OkStatus();
}

// Not retried after a failure, EINTR included: see File::Sync.
absl::Status PosixFile::Sync() {
  if (fdatasync(descriptor_.number()) != 0)
    return SyncErrnoStatus(errno, "fdatasync", path());
  return absl::OkStatus();
}

absl::Status PosixFile::DropCache() {
  return MatchCacheToDisk(descriptor_.number(), path());
}

absl::StatusOr<std::unique_ptr<Mapping>> PosixFile::Map(size_t size,
                                                        MapAccess access) {
  return PosixMapping::Map(descriptor_.number(), path(), size, access);
}

absl::Status PosixFile::ShowIn(Mapping& mapping, int64_t begin, int64_t end) {
  return PosixMapping::ShowFile(descriptor_.number(), path(), mapping, begin,
                                end);
}

absl::Status PosixFile::Lock() {
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  const int result = RetryInterrupted(
      [&] { return fcntl(descriptor_.number(), F_OFD_SETLK, &whole); });
  if (result == 0) return absl::OkStatus();
  if (errno == EAGAIN || errno == EACCES) {
    return absl::FailedPreconditionError(absl::StrCat(
        path(), ": locked by another process, or opened twice in this one"));
  }
  return Error(errno, "fcntl(F_OFD_SETLK)");
}

absl::StatusOr<bool> PosixFile::IsLockedByOther() {
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  const int result = RetryInterrupted(
      [&] { return fcntl(descriptor_.number(), F_OFD_GETLK, &whole); });
  if (result != 0) return Error(errno, "fcntl(F_OFD_GETLK)");
  return whole.l_type != F_UNLCK;
}

}  // namespace varve
