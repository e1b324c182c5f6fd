// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_MAPPED_FILE_H_
#define VARVE_LOG_MAPPED_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/file_system.h"

namespace varve {

// A file and one mapping of its whole address range. A growing file is mapped
// once for its full capacity and given disk blocks ahead of the writer in
// steps that double, so a store to an allocated byte never meets a full disk
// (a SIGBUS). What is allocated and not yet written reads as zero.
//
// Owns the file and the mapping. It keeps one descriptor open from the
// creation of the file to its last sync, so no write error is missed.
//
// Thread safety: one writer (`EnsureAllocated`, `Seal`); `Sync` from any
// thread; the bytes are ordered by whoever publishes them.
class MappedFile {
 public:
  // The smallest and the largest step of allocation, in bytes.
  static constexpr int64_t kAllocationStepMin = 4096;
  static constexpr int64_t kAllocationStepMax = int64_t{16} << 20;

  // A new, empty file that can grow to `capacity` bytes (1 or more).
  //
  // Errors: AlreadyExists; ResourceExhausted for want of disk, descriptors or
  // address space, with no file left behind.
  static absl::StatusOr<std::unique_ptr<MappedFile>> Create(
      Directory& directory, std::string_view name, int64_t capacity);

  // An existing file, to be grown further from its present size. `capacity`
  // below that size is raised to it.
  static absl::StatusOr<std::unique_ptr<MappedFile>> OpenForAppend(
      Directory& directory, std::string_view name, int64_t capacity);

  // An existing file, mapped read-only as long as it is now. Its descriptor is
  // closed again: a sealed file costs a mapping only.
  static absl::StatusOr<std::unique_ptr<MappedFile>> OpenReadOnly(
      Directory& directory, std::string_view name);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }

  // The start of the mapping. Null when an empty file is open read-only.
  char* data() const {
    return mapping_ == nullptr ? nullptr : mapping_->data();
  }
  int64_t capacity() const { return capacity_; }

  // Bytes that may be touched: the size of the file on disk.
  int64_t allocated() const { return allocated_; }

  // The first `size` bytes.
  std::string_view bytes(int64_t size) const {
    return {data(), static_cast<size_t>(size)};
  }

  // Sees to it that the first `end` bytes may be touched.
  //
  // Errors: ResourceExhausted when the disk has no room even for the smallest
  // step; nothing has changed then, and a later call may succeed.
  // Precondition: `end <= capacity()`.
  absl::Status EnsureAllocated(int64_t end) {
    return end <= allocated_ ? absl::OkStatus() : Grow(end);
  }

  // Trims the file to its first `size` bytes and makes the mapping read-only,
  // in place: addresses stay valid. Not yet durable: `Sync` follows.
  absl::Status Seal(int64_t size);

  // Makes everything stored so far durable. A read-only file has nothing to
  // sync. Do not call again after a failure.
  absl::Status Sync();

  // Closes the descriptor after the last sync of a sealed file; the mapping
  // stays. From now on the file is a read-only one.
  void CloseDescriptor() { file_ = nullptr; }

 private:
  MappedFile(std::unique_ptr<File> file, std::unique_ptr<Mapping> mapping,
             int64_t capacity, int64_t allocated);

  absl::Status Grow(int64_t end);

  // Constant after construction.
  const std::string path_;
  const int64_t capacity_;
  std::unique_ptr<File> file_;  // null when read-only, or synced for good
  std::unique_ptr<Mapping> mapping_;

  // Written by the writer alone.
  int64_t allocated_;
};

}  // namespace varve

#endif  // VARVE_LOG_MAPPED_FILE_H_
