// SPDX-License-Identifier: Apache-2.0

#include "log/posix_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "log/errno_status.h"
#include "log/file_descriptor.h"
#include "log/file_system.h"
#include "log/file_system_type.h"
#include "log/posix_file.h"

namespace varve {
namespace {

constexpr mode_t kMode = 0700;
constexpr int kOpenFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

int OpenDirectoryAt(int directory, const char* name, int more_flags) {
  return RetryInterrupted(
      [&] { return openat(directory, name, kOpenFlags | more_flags); });
}

FileDescriptor OpenDescriptorAt(int directory, const char* name,
                                int more_flags) {
  return FileDescriptor::Open(
      [&] { return OpenDirectoryAt(directory, name, more_flags); });
}

// Names that are more than one component would lead out of the directory.
absl::Status CheckName(std::string_view name, const std::string& path) {
  if (!name.empty() && name != "." && name != ".." &&
      name.find_first_of(std::string_view("/\0", 2)) == name.npos) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": not the name of a directory's entry"));
}

// 0 or an errno. The umask may have taken away what the owner needs.
int FixMode(int directory, const char* name) {
  struct stat status;
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if ((status.st_mode & 0777) == kMode) return 0;
  const int result = fchmodat(directory, name, kMode, AT_SYMLINK_NOFOLLOW);
  return result == 0 ? 0 : errno;
}

EntryKind KindOf(int directory, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return EntryKind::kFile;
    case DT_DIR:
      return EntryKind::kDirectory;
    case DT_UNKNOWN:  // Some file systems leave it to us.
      break;
    default:
      return EntryKind::kOther;
  }
  struct stat status;
  if (fstatat(directory, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return EntryKind::kOther;
  }
  if (S_ISREG(status.st_mode)) return EntryKind::kFile;
  return S_ISDIR(status.st_mode) ? EntryKind::kDirectory : EntryKind::kOther;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PosixDirectory>> PosixDirectory::Open(
    const std::string& path) {
  FileDescriptor descriptor = OpenDescriptorAt(AT_FDCWD, path.c_str(), 0);
  if (!descriptor.is_open()) return ErrnoStatus(errno, "open", path);
  return absl::WrapUnique(new PosixDirectory(std::move(descriptor), path));
}

PosixDirectory::PosixDirectory(FileDescriptor descriptor, std::string path)
    : Directory(std::move(path)), descriptor_(std::move(descriptor)) {}

std::string PosixDirectory::PathOf(std::string_view name) const {
  const std::string_view separator = path().ends_with('/') ? "" : "/";
  return absl::StrCat(path(), separator, name);
}

absl::StatusOr<std::unique_ptr<File>> PosixDirectory::OpenFile(
    std::string_view name, OpenMode mode) {
  std::string path = PathOf(name);
  if (absl::Status status = CheckName(name, path); !status.ok()) return status;
  return PosixFile::Open(descriptor_.number(), name, std::move(path), mode);
}

absl::StatusOr<FileSystemType> PosixDirectory::Type() {
  struct statfs status;
  const int result =
      RetryInterrupted([&] { return fstatfs(descriptor_.number(), &status); });
  if (result != 0) return ErrnoStatus(errno, "fstatfs", path());
  return FileSystemTypeOf(int64_t{status.f_type});
}

absl::StatusOr<std::vector<DirectoryEntry>> PosixDirectory::List() {
  // A description of its own, because it has a position.
  const int listed = OpenDirectoryAt(descriptor_.number(), ".", 0);
  if (listed < 0) return ErrnoStatus(errno, "open", path());
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(listed), closedir);
  if (stream == nullptr) {
    const int error = errno;
    close(listed);
    return ErrnoStatus(error, "fdopendir", path());
  }
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries.push_back({.name = std::string(name),
                       .kind = KindOf(descriptor_.number(), *entry)});
  }
  if (errno != 0) return ErrnoStatus(errno, "readdir", path());
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) {
              return a.name < b.name;
            });
  return entries;
}

absl::Status PosixDirectory::Rename(std::string_view from,
                                    std::string_view to) {
  const std::string path = PathOf(from);
  if (absl::Status status = CheckName(from, path); !status.ok()) return status;
  if (absl::Status status = CheckName(to, PathOf(to)); !status.ok()) {
    return status;
  }
  if (renameat(descriptor_.number(), std::string(from).c_str(),
               descriptor_.number(), std::string(to).c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("rename to ", to), path);
  }
  return absl::OkStatus();
}

absl::Status PosixDirectory::RemoveFile(std::string_view name) {
  const std::string path = PathOf(name);
  if (absl::Status status = CheckName(name, path); !status.ok()) return status;
  if (unlinkat(descriptor_.number(), std::string(name).c_str(), 0) != 0) {
    return ErrnoStatus(errno, "unlink", path);
  }
  return absl::OkStatus();
}

// Not retried after a failure: see File::Sync.
absl::Status PosixDirectory::Sync() {
  if (fsync(descriptor_.number()) != 0) {
    return ErrnoStatus(errno, "fsync", path());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Directory>> PosixDirectory::OpenDirectory(
    std::string_view name) {
  std::string path = PathOf(name);
  if (absl::Status status = CheckName(name, path); !status.ok()) return status;
  FileDescriptor descriptor = OpenDescriptorAt(
      descriptor_.number(), std::string(name).c_str(), O_NOFOLLOW);
  if (!descriptor.is_open()) return ErrnoStatus(errno, "open", path);
  return absl::WrapUnique(
      new PosixDirectory(std::move(descriptor), std::move(path)));
}

absl::Status PosixDirectory::CreateDirectory(std::string_view name) {
  const std::string path = PathOf(name);
  if (absl::Status status = CheckName(name, path); !status.ok()) return status;
  const std::string entry(name);
  if (mkdirat(descriptor_.number(), entry.c_str(), kMode) != 0) {
    return ErrnoStatus(errno, "mkdir", path);
  }
  if (const int error = FixMode(descriptor_.number(), entry.c_str());
      error != 0) {
    unlinkat(descriptor_.number(), entry.c_str(), AT_REMOVEDIR);
    return ErrnoStatus(error, "chmod", path);
  }
  return absl::OkStatus();
}

absl::Status PosixDirectory::RemoveDirectory(std::string_view name) {
  const std::string path = PathOf(name);
  if (absl::Status status = CheckName(name, path); !status.ok()) return status;
  if (unlinkat(descriptor_.number(), std::string(name).c_str(), AT_REMOVEDIR) !=
      0) {
    return ErrnoStatus(errno, "rmdir", path);
  }
  return absl::OkStatus();
}

}  // namespace varve
