// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_MAPPED_FILE_H_
#define VARVE_LOG_SYSTEM_MAPPED_FILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/staged_writes.h"

namespace varve {

// A file and one mapping of its whole address range. A growing file is mapped
// once for its full capacity and given disk blocks ahead of the writer in
// steps that double, so a store to an allocated byte never meets a full disk
// (a SIGBUS). What is allocated and not yet written reads as zero.
//
// Where blocks cannot be allocated ahead (FileSystemSupport::kMayRaiseSigbus
// and kRemote), the mapping of a growing file is private memory, all of which
// counts as allocated, and `WriteOut` writes it to the file: StagedWrites says
// how.
//
// Owns the file and the mapping. It keeps one descriptor open from the creation
// of the file to its last sync, so no write error is missed. The kernel reports
// each error once, to the call that syncs first, be it of the whole file or of
// a prepared piece; so a failed sync is remembered, and no later one returns
// OK, even if the result of the first was dropped.
//
// Thread safety: one writer (`EnsureAllocated`); `PrepareAhead`, `Sync` and
// `Seal` from any thread, also while the writer runs, except `Seal`; the bytes
// are ordered by the code that publishes them.
class MappedFile {
 public:
  // The smallest and the largest step of allocation, in bytes.
  static constexpr int64_t kAllocationStepMin = 4096;
  static constexpr int64_t kAllocationStepMax = int64_t{16} << 20;

  // A new, empty file that can grow to `capacity` bytes (1 or more).
  //
  // Errors: AlreadyExists; ResourceExhausted for want of disk, descriptors or
  // address space, and no file is left.
  static absl::StatusOr<std::unique_ptr<MappedFile>> Create(
      Directory& directory, std::string_view name, int64_t capacity);

  // An existing file, to be grown further from its present size. `capacity`
  // below that size is raised to it.
  static absl::StatusOr<std::unique_ptr<MappedFile>> OpenForAppend(
      Directory& directory, std::string_view name, int64_t capacity);

  // An existing file, mapped read-only at its present size. Its descriptor is
  // closed again, so a sealed file costs only a mapping.
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

  // Bytes in the file when it was opened, 0 for a new one.
  int64_t opened_size() const { return opened_size_; }

  // Bytes that may be touched: the size of the file on disk, unless it is
  // staged in memory.
  int64_t allocated() const {
    return allocated_.load(std::memory_order_acquire);
  }

  // The first `size` bytes.
  std::string_view bytes(int64_t size) const {
    DCHECK_LE(size, allocated());
    return {data(), static_cast<size_t>(size)};
  }

  // Ensures that the first `end` bytes may be touched.
  //
  // Errors: ResourceExhausted when the disk has no room even for the smallest
  // step; nothing has changed then, and a later call may succeed.
  // Precondition: `end <= capacity()`.
  absl::Status EnsureAllocated(int64_t end) {
    return end <= allocated() ? absl::OkStatus() : Grow(end);
  }

  // Ensures that the first `end` bytes, which were stored, are in the file.
  // They already are unless it is staged. Call it before they are published.
  //
  // Errors: ResourceExhausted when the disk is full: the file is unchanged, and
  // a later call may succeed; other file errors (log/system/errno_status.h).
  absl::Status WriteOut(int64_t end) {
    DCHECK_LE(end, allocated());
    return staged_ == nullptr ? absl::OkStatus() : staged_->WriteTo(end);
  }

  // Allocates and populates the bytes `from` to `end` (cut to the capacity), so
  // that the writer need not wait for them; with kSync it makes the pages clean
  // again, so that the next sync does not write them all. It works in pieces,
  // between which the writer may grow the file itself. Does nothing to a sealed
  // file.
  //
  // Errors: file errors. The writer is not affected, unless `sync_failed()`.
  enum class AfterPopulating { kLeaveDirty, kSync };
  absl::Status PrepareAhead(int64_t from, int64_t end, AfterPopulating after);

  // How far `PrepareAhead` has come.
  int64_t populated() const {
    return populated_.load(std::memory_order_relaxed);
  }

  // Trims the file to its first `size` bytes and makes the mapping read-only,
  // in place: addresses stay valid. That is not durable before a `Sync`. From
  // now on the file does not grow, even if the call fails; it can be repeated
  // then.
  absl::Status Seal(int64_t size);

  // Makes everything stored so far durable. A read-only file has nothing to
  // sync. Nothing is stored below `complete` any more: so much of it is let go
  // before, which makes the sync cheaper (Mapping::LetGo).
  //
  // Errors: file errors after `AsPoison`, so never ResourceExhausted; once any
  // sync of the file has failed, that first error again.
  absl::Status Sync(int64_t complete);

  // Whether a sync of the file, or of a prepared piece, has failed.
  bool sync_failed() const;

  // Closes the descriptor after the last sync of a sealed file; the mapping
  // stays. From now on the file is a read-only one.
  void CloseDescriptor() {
    staged_ = nullptr;
    file_ = nullptr;
  }

 private:
  MappedFile(std::unique_ptr<File> file, std::unique_ptr<Mapping> mapping,
             int64_t capacity, int64_t size);

  static absl::StatusOr<std::unique_ptr<MappedFile>> MapForAppend(
      Directory& directory, std::unique_ptr<File> file, int64_t capacity,
      int64_t size);
  absl::Status Stage();

  absl::Status Grow(int64_t end);
  absl::Status AllocateTo(int64_t end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(growth_);
  absl::Status PreparePiece(int64_t end, AfterPopulating after);
  absl::Status SyncPiece(size_t begin, size_t end);
  void LetGoBelow(int64_t complete);
  absl::Status NoteSync(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(syncing_);

  // Constant after construction.
  const std::string path_;
  const int64_t capacity_;
  const int64_t opened_size_;
  std::unique_ptr<File> file_;  // null when read-only, or synced for good
  std::unique_ptr<Mapping> mapping_;
  std::unique_ptr<StagedWrites> staged_;  // null: the mapping is the file's

  // Held while the size of the file changes.
  absl::Mutex growth_;
  bool full_grown_ ABSL_GUARDED_BY(growth_) = false;  // a seal has begun
  bool sealed_ ABSL_GUARDED_BY(growth_) = false;
  // Memory ordering: stored with release after the blocks are there; the writer
  // that acquires it may touch every byte below. Stored under `growth_`.
  std::atomic<int64_t> allocated_;
  // Memory ordering: relaxed; it only says how far preparing has come.
  std::atomic<int64_t> populated_ = 0;
  // How far pages were let go. Memory ordering: relaxed; only a hint.
  std::atomic<int64_t> let_go_ = 0;

  // Held while a piece is synced, so that a sync of the file that ran at the
  // same time sees the error that the kernel reported for the piece.
  mutable absl::Mutex syncing_ ABSL_ACQUIRED_AFTER(growth_);
  absl::Status sync_failure_ ABSL_GUARDED_BY(syncing_);  // the first one
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_MAPPED_FILE_H_
