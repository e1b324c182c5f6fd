// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_FILE_SYSTEM_H_
#define VARVE_LOG_SYSTEM_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

// The seam between varve and the operating system: every system call on files
// goes through these four classes, so a test can fail, delay, forget or
// reorder each of them. `FileSystem::Posix()` is the real one.
//
// Errors (all methods): the errno of the failed call, mapped as in
// `log/system/errno_status.h`, with the path and the name of the call. No
// method leaves a half-done change unless it says so.

// An address range of one file, unmapped on destruction.
//
// Thread safety: `data` and `size` are immutable; the range is shared memory,
// ordered by the code that publishes it.
class Mapping {
 public:
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  virtual ~Mapping() = default;

  char* data() const { return data_; }
  size_t size() const { return size_; }

  // Turns a writable mapping read-only in place, so addresses stay valid.
  virtual absl::Status ProtectReadOnly() = 0;

  // Ensures that stores to the bytes `begin` to `end` cause no page fault that
  // the file system has to handle: MADV_POPULATE_WRITE (Linux 5.14; does
  // nothing before). The pages become dirty. `begin` and `end` are multiples of
  // the page size or the size of the mapping, and backed with disk blocks.
  virtual absl::Status Populate(size_t begin, size_t end) = 0;

  // Takes the pages from `begin` to `end` out of this process's page table;
  // nothing is lost, and a later access finds the same bytes in the page cache:
  // MADV_DONTNEED. A sync write-protects each page that is mapped writable,
  // with an interrupt to the other processors for every one; of those that were
  // let go it knows already that they are dirty. A hint: a failure is ignored.
  // `begin` and `end` are multiples of the page size.
  //
  // Precondition: the mapping is shared, since private memory would be lost.
  virtual void LetGo(size_t begin, size_t end) = 0;

  // Makes the bytes `begin` to `end` durable, msync(2). The kernel reports a
  // failed write-back anywhere in the file once, and this call may get that
  // report; File::Sync may return OK then. A failure means what one of
  // File::Sync means.
  virtual absl::Status Sync(size_t begin, size_t end) = 0;

 protected:
  Mapping(char* data, size_t size) : data_(data), size_(size) {}

 private:
  char* const data_;
  const size_t size_;
};

enum class MapAccess {
  kReadOnly,
  kReadWrite,
  // Private memory, all zeros, until `File::ShowIn` replaces parts of it by the
  // file; stores never reach the file.
  kPrivate,
};

// One open regular file; closed on destruction.
//
// Thread safety: thread-safe, as far as the kernel's calls are.
class File {
 public:
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  // The path for messages: the directory's path, '/', and the name.
  const std::string& path() const { return path_; }

  // Bytes in the file.
  virtual absl::StatusOr<int64_t> Size() = 0;

  // When its bytes were last written, as far as the file system knows: it
  // learns of stores into a mapping only when they are synced or written back.
  virtual absl::StatusOr<absl::Time> ModifiedAt() = 0;
  // Sets that time. futimens(2).
  virtual absl::Status SetModifiedAt(absl::Time time) = 0;

  // Reads at most `out.size()` bytes at `position`; returns how many it read,
  // fewer only at the end of the file.
  virtual absl::StatusOr<size_t> ReadAt(int64_t position,
                                        absl::Span<char> out) = 0;

  // Writes all of `bytes` at `position`, or fails.
  virtual absl::Status WriteAt(int64_t position, std::string_view bytes) = 0;

  // Backs the bytes `begin` to `end` with disk blocks that read as zero, and
  // makes the file at least `end` bytes long. fallocate(2), or zeros written
  // where the file system has none. `begin` is the current size of the file.
  //
  // Errors: ResourceExhausted when the disk, the quota or RLIMIT_FSIZE is
  // reached; the file has its old size then, and no signal is raised.
  virtual absl::Status Allocate(int64_t begin, int64_t end) = 0;

  // Sets the size to `size` bytes, cutting any bytes after that.
  virtual absl::Status Truncate(int64_t size) = 0;

  // fdatasync(2): on return all bytes stored so far, through WriteAt or a
  // mapping, and the size survive a power loss. After a failure the state of
  // the unsynced bytes is unknown: do not try again (PostgreSQL's fsyncgate).
  // MappedFile never does.
  virtual absl::Status Sync() = 0;

  // Syncs, and makes all later reads, by any process, return what the disk
  // holds: after a failed sync the cache may show other bytes.
  // log/system/match_cache_to_disk.h says how. The file must be open for
  // writing.
  //
  // Errors: FailedPrecondition when a process maps the file and the disk cannot
  // be read past the cache.
  virtual absl::Status DropCache() = 0;

  // Maps the first `size` bytes, shared. `size` may exceed the size of the
  // file; touching a page wholly past the end raises SIGBUS, so callers stay
  // below what they have allocated.
  virtual absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t size,
                                                       MapAccess access) = 0;

  // Replaces the memory of a kPrivate mapping of this file, from `begin` to
  // `end`, by the file's own bytes, read-only; the memory is freed. Readers of
  // these bytes meet no gap: mmap(2) with MAP_FIXED. `begin` is a multiple of
  // the page size, `end` one too or the end of the file.
  //
  // Precondition: the file holds what the memory holds.
  virtual absl::Status ShowIn(Mapping& mapping, int64_t begin, int64_t end) = 0;

  // Takes the exclusive open-file-description lock on the whole file, which
  // Kafka's own lock on `.lock` conflicts with. Held until the file closes.
  //
  // Errors: FailedPrecondition when another process, or another open file of
  // this process, holds it.
  virtual absl::Status Lock() = 0;

  // Whether `Lock` would fail because somebody else holds the lock, or Kafka's
  // own on the whole file. Takes none, not even for a moment; the file may be
  // open for reading alone.
  virtual absl::StatusOr<bool> IsLockedByOther() = 0;

 protected:
  explicit File(std::string path) : path_(std::move(path)) {}

 private:
  const std::string path_;
};

enum class OpenMode {
  kRead,       // an existing file, for reading
  kReadWrite,  // an existing file, for both
  kCreateNew,  // must not exist yet; created with mode 0600, for both
  kCreate,     // created with mode 0600 if it is not there, for both
};

enum class EntryKind { kFile, kDirectory, kOther };

struct DirectoryEntry {
  std::string name;
  EntryKind kind;
};

// Tells a directory from every other one, whatever paths lead to it.
struct DirectoryIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;

  friend bool operator==(const DirectoryIdentity&,
                         const DirectoryIdentity&) = default;
};

// One directory. Names are single path components; no symbolic link is
// followed, and only regular files are opened.
//
// Thread safety: thread-safe.
class Directory {
 public:
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  virtual ~Directory() = default;

  const std::string& path() const { return path_; }

  // The path of its entry `name`.
  std::string PathOf(std::string_view name) const {
    std::string path = path_;
    if (!path.ends_with('/')) path += '/';
    path += name;
    return path;
  }

  // Errors: NotFound; AlreadyExists (kCreateNew); FailedPrecondition when the
  // name is a link, a directory or a device.
  virtual absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                         OpenMode mode) = 0;

  // The kind of file system it is on. statfs(2).
  virtual absl::StatusOr<FileSystemType> Type() = 0;

  // The directory itself, then those that it is in, up to the root, or as far
  // as they may be searched. stat(2).
  virtual absl::StatusOr<std::vector<DirectoryIdentity>> Lineage() = 0;

  // All entries but "." and "..", sorted by name.
  virtual absl::StatusOr<std::vector<DirectoryEntry>> List() = 0;

  // Bytes of the disk blocks that its own entries use, without those in
  // subdirectories. Entries that are removed meanwhile are not counted.
  virtual absl::StatusOr<int64_t> DiskBytes() = 0;

  // Bytes that this process may still write to the file system that it is on.
  // statfs(2). Others write, too: it is a hint.
  virtual absl::StatusOr<int64_t> FreeBytes() = 0;

  // Replaces `to` if it exists. Atomic; durable after Sync.
  virtual absl::Status Rename(std::string_view from, std::string_view to) = 0;

  virtual absl::Status RemoveFile(std::string_view name) = 0;

  // The same for a file that need not be there: OK when there is none.
  absl::Status RemoveFileIfThere(std::string_view name) {
    absl::Status status = RemoveFile(name);
    return absl::IsNotFound(status) ? absl::OkStatus() : status;
  }

  // fsync(2) of the directory: names created, renamed and removed so far
  // survive a power loss.
  virtual absl::Status Sync() = 0;

  virtual absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view name) = 0;

  // Creates with mode 0700.
  virtual absl::Status CreateDirectory(std::string_view name) = 0;

  // The directory must be empty.
  virtual absl::Status RemoveDirectory(std::string_view name) = 0;

  // For a directory that is opened by its name for each call: it stays open
  // from KeepOpen to `LetGo`, so that no call fails for want of a descriptor.
  // Either does nothing when nothing is to be changed.
  //
  // Errors: those of `OpenDirectory`.
  virtual absl::Status KeepOpen() { return absl::OkStatus(); }
  virtual void LetGo() {}

  // Call it before another directory gets this one's name: a directory that is
  // opened by its name for each call then refuses further calls, with NotFound.
  virtual void Detach() {}

 protected:
  explicit Directory(std::string path) : path_(std::move(path)) {}

 private:
  const std::string path_;
};

// Thread safety: thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Links in `path` itself are followed: the user chose it.
  virtual absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      const std::string& path) = 0;

  // Creates the directory and its missing parents (mode 0700), and syncs the
  // parent of each that it created.
  virtual absl::Status CreateDirectories(const std::string& path) = 0;

  // Memory of no file, all zeros, in large pages where the kernel has them. It
  // is taken as it is touched. Needs one of the mappings that a process may
  // have, as a file's does; its `LetGo` and `Sync` must not be called.
  //
  // Errors: ResourceExhausted when so much memory, or address space, cannot be
  // had; more than the machine has is refused at once.
  virtual absl::StatusOr<std::unique_ptr<Mapping>> MapMemory(size_t size) = 0;

  // The real one. Never destroyed.
  static FileSystem* Posix();
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_FILE_SYSTEM_H_
