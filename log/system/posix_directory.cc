// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/posix_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
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
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_descriptor.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"
#include "varve/log/system/posix_file.h"

namespace varve {
namespace {

constexpr mode_t kMode = 0700;
// Bytes of entries that are read at a time.
constexpr size_t kListingBytes = 32 << 10;
static_assert(kListingBytes >= sizeof(dirent64), "one entry fits at least");
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

// A name of more than one component would lead out of the directory.
absl::Status CheckName(std::string_view name, const std::string& path) {
  if (!name.empty() && name != "." && name != ".." &&
      name.find_first_of(std::string_view("/\0", 2)) == name.npos) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": not the name of a directory's entry"));
}

// Returns 0 or an errno. The umask may have removed what the owner needs.
int FixMode(int directory, const char* name) {
  struct stat status;
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if ((status.st_mode & 0777) == kMode) return 0;
  const int result = fchmodat(directory, name, kMode, AT_SYMLINK_NOFOLLOW);
  return result == 0 ? 0 : errno;
}

EntryKind KindOf(int directory, const dirent64& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return EntryKind::kFile;
    case DT_DIR:
      return EntryKind::kDirectory;
    case DT_UNKNOWN:  // Some file systems do not say.
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

void AddEntry(int directory, const dirent64& entry,
              std::vector<DirectoryEntry>& entries) {
  const std::string_view name = entry.d_name;
  if (name == "." || name == "..") return;
  entries.push_back(
      {.name = std::string(name), .kind = KindOf(directory, entry)});
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

absl::StatusOr<std::vector<DirectoryIdentity>> PosixDirectory::Lineage() {
  std::vector<DirectoryIdentity> lineage;
  for (std::string at = ".";; at += "/..") {
    struct stat status;
    if (fstatat(descriptor_.number(), at.c_str(), &status, 0) != 0) {
      if (errno == EACCES && !lineage.empty()) return lineage;
      return ErrnoStatus(errno, "fstatat", PathOf(at));
    }
    const DirectoryIdentity identity = {.device = status.st_dev,
                                        .inode = status.st_ino};
    // The root is its own parent.
    if (!lineage.empty() && lineage.back() == identity) return lineage;
    lineage.push_back(identity);
  }
}

absl::StatusOr<std::vector<DirectoryEntry>> PosixDirectory::List() {
  // The listing has an open file description of its own, because that has a
  // position. It is no DIR, which would own the descriptor: a forked child has
  // to know and close it.
  const FileDescriptor listed = OpenDescriptorAt(descriptor_.number(), ".", 0);
  if (!listed.is_open()) return ErrnoStatus(errno, "open", path());
  std::vector<DirectoryEntry> entries;
  alignas(dirent64) std::array<char, kListingBytes> listing;
  while (true) {
    const ssize_t size =
        getdents64(listed.number(), listing.data(), listing.size());
    if (size < 0) return ErrnoStatus(errno, "getdents64", path());
    if (size == 0) break;
    for (ssize_t at = 0; at < size;) {
      const auto* entry =
          reinterpret_cast<const dirent64*>(listing.data() + at);
      AddEntry(descriptor_.number(), *entry, entries);
      at += entry->d_reclen;
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) {
              return a.name < b.name;
            });
  return entries;
}

absl::StatusOr<int64_t> PosixDirectory::DiskBytes() {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = List();
  if (!entries.ok()) return entries.status();
  constexpr int64_t kStatBlock = 512;  // on every file system
  int64_t bytes = 0;
  for (const DirectoryEntry& entry : *entries) {
    struct stat status;
    if (fstatat(descriptor_.number(), entry.name.c_str(), &status,
                AT_SYMLINK_NOFOLLOW) == 0) {
      bytes += int64_t{status.st_blocks} * kStatBlock;
    } else if (errno != ENOENT) {
      return ErrnoStatus(errno, "fstatat", PathOf(entry.name));
    }
  }
  return bytes;
}

absl::StatusOr<int64_t> PosixDirectory::FreeBytes() {
  struct statfs status;
  const int result =
      RetryInterrupted([&] { return fstatfs(descriptor_.number(), &status); });
  if (result != 0) return ErrnoStatus(errno, "fstatfs", path());
  return static_cast<int64_t>(status.f_bavail) *
         static_cast<int64_t>(status.f_bsize);
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
    return SyncErrnoStatus(errno, "fsync", path());
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
