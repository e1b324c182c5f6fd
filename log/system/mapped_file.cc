// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/mapped_file.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"
#include "varve/log/system/staged_writes.h"

namespace varve {
namespace {

// Bytes populated in one hold of the lock: a quarter of a millisecond's work.
constexpr int64_t kPopulateStep = int64_t{256} << 10;

constexpr int64_t kPageSizeMax = int64_t{64} << 10;

// Fewer bytes than these are not let go before a sync: that costs one
// interrupt, too, and readers that follow closely find them in the page table.
constexpr int64_t kLetGoMin = int64_t{256} << 10;

static_assert(kPopulateStep % kPageSizeMax == 0, "a piece begins at a page");
static_assert(MappedFile::kAllocationStepMax % MappedFile::kAllocationStepMin ==
              0);

int64_t RoundDown(int64_t value, int64_t multiple) {
  return value / multiple * multiple;
}

int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

int64_t PageSize() {
  static const int64_t size = sysconf(_SC_PAGESIZE);
  return size;
}

}  // namespace

MappedFile::MappedFile(std::unique_ptr<File> file,
                       std::unique_ptr<Mapping> mapping, int64_t capacity,
                       int64_t size)
    : path_(file->path()),
      capacity_(capacity),
      opened_size_(size),
      file_(std::move(file)),
      mapping_(std::move(mapping)),
      allocated_(size),
      let_go_(RoundDown(size, kPageSizeMax)) {
  CHECK_LE(opened_size_, capacity_);
}

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::Create(
    Directory& directory, std::string_view name, int64_t capacity) {
  CHECK_GT(capacity, 0);
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(name, OpenMode::kCreateNew);
  if (!file.ok()) return file.status();
  auto mapped = MapForAppend(directory, *std::move(file), capacity, 0);
  // The caller needs the error of the mapping, not that of the removal.
  if (!mapped.ok()) directory.RemoveFile(name).IgnoreError();
  return mapped;
}

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::OpenForAppend(
    Directory& directory, std::string_view name, int64_t capacity) {
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(name, OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  return MapForAppend(directory, *std::move(file),
                      std::max({capacity, *size, int64_t{1}}), *size);
}

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::MapForAppend(
    Directory& directory, std::unique_ptr<File> file, int64_t capacity,
    int64_t size) {
  const absl::StatusOr<FileSystemType> type = directory.Type();
  if (!type.ok()) return type.status();
  const bool staged = !KeepsAllocatedBlocks(SupportOf(*type));
  auto mapping =
      file->Map(static_cast<size_t>(capacity),
                staged ? MapAccess::kPrivate : MapAccess::kReadWrite);
  if (!mapping.ok()) return mapping.status();
  std::unique_ptr<MappedFile> result(
      new MappedFile(std::move(file), *std::move(mapping), capacity, size));
  absl::Status status = staged ? result->Stage() : absl::OkStatus();
  if (!status.ok()) return status;
  return result;
}

absl::Status MappedFile::Stage() {
  staged_ = std::make_unique<StagedWrites>(file_.get(), mapping_.get());
  allocated_.store(capacity_, std::memory_order_release);
  return staged_->Load(opened_size_);
}

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::OpenReadOnly(
    Directory& directory, std::string_view name) {
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(name, OpenMode::kRead);
  if (!file.ok()) return file.status();
  absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  std::unique_ptr<Mapping> mapping;
  if (*size > 0) {
    auto mapped =
        (*file)->Map(static_cast<size_t>(*size), MapAccess::kReadOnly);
    if (!mapped.ok()) return mapped.status();
    mapping = *std::move(mapped);
  }
  auto result = std::unique_ptr<MappedFile>(
      new MappedFile(*std::move(file), std::move(mapping), *size, *size));
  result->file_.reset();
  return result;
}

// Grows by at least one step, which doubles up to a limit; without room for a
// step, by no more than is needed.
absl::Status MappedFile::Grow(int64_t end) {
  CHECK_LE(end, capacity_);
  absl::MutexLock lock(&growth_);
  if (end <= allocated()) return absl::OkStatus();
  CHECK(!full_grown_) << "a sealed file cannot grow: " << path_;
  CHECK(file_ != nullptr) << "a read-only file cannot grow: " << path_;
  const int64_t step =
      std::clamp(allocated(), kAllocationStepMin, kAllocationStepMax);
  const int64_t needed = RoundUp(end, kAllocationStepMin);
  const int64_t wanted =
      std::max(needed, RoundUp(allocated() + step, kAllocationStepMin));
  absl::Status status = AllocateTo(wanted);
  return absl::IsResourceExhausted(status) && needed < wanted
             ? AllocateTo(needed)
             : status;
}

absl::Status MappedFile::AllocateTo(int64_t end) {
  end = std::min(end, capacity_);
  CHECK_LT(allocated(), end);
  CHECK(staged_ == nullptr);  // all of the memory is allocated
  absl::Status status = file_->Allocate(allocated(), end);
  if (status.ok()) allocated_.store(end, std::memory_order_release);
  return status;
}

absl::Status MappedFile::PrepareAhead(int64_t from, int64_t end,
                                      AfterPopulating after) {
  const int64_t first = RoundDown(from, PageSize());
  if (populated() < first) populated_.store(first, std::memory_order_relaxed);
  end = std::min(RoundUp(end, PageSize()), capacity_);
  while (populated() < end) {
    const int64_t piece_end = std::min(populated() + kPopulateStep, end);
    absl::Status status = PreparePiece(piece_end, after);
    if (!status.ok()) return status;
    populated_.store(piece_end, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

absl::Status MappedFile::PreparePiece(int64_t end, AfterPopulating after) {
  absl::MutexLock lock(&growth_);
  if (full_grown_ || file_ == nullptr) return absl::OkStatus();
  if (end > allocated()) {
    absl::Status status = AllocateTo(end);
    if (!status.ok()) return status;
  }
  CHECK_LE(end, allocated());
  const auto from = static_cast<size_t>(populated());
  const auto to = static_cast<size_t>(end);
  absl::Status status = mapping_->Populate(from, to);
  return status.ok() && after == AfterPopulating::kSync ? SyncPiece(from, to)
                                                        : status;
}

absl::Status MappedFile::SyncPiece(size_t begin, size_t end) {
  absl::MutexLock lock(&syncing_);
  return NoteSync(mapping_->Sync(begin, end));
}

absl::Status MappedFile::Seal(int64_t size) {
  absl::MutexLock lock(&growth_);
  CHECK_LE(size, allocated());
  CHECK(!sealed_ || size == allocated()) << path_;
  if (file_ == nullptr || sealed_) return absl::OkStatus();
  full_grown_ = true;
  absl::Status status =
      staged_ == nullptr ? file_->Truncate(size) : staged_->Seal(size);
  if (!status.ok()) return status;
  allocated_.store(size, std::memory_order_release);
  status = mapping_->ProtectReadOnly();
  sealed_ = status.ok();
  return status;
}

// Syncs the file before it takes the lock: with it, it would wait for each
// piece.
absl::Status MappedFile::Sync(int64_t complete) {
  if (file_ == nullptr) return absl::OkStatus();
  LetGoBelow(complete);
  const absl::Status status = file_->Sync();
  absl::MutexLock lock(&syncing_);
  return NoteSync(status);
}

void MappedFile::LetGoBelow(int64_t complete) {
  DCHECK_LE(complete, allocated());
  const int64_t begin = let_go_.load(std::memory_order_relaxed);
  const int64_t end = RoundDown(complete, kPageSizeMax);
  if (staged_ != nullptr || end - begin < kLetGoMin) return;
  mapping_->LetGo(static_cast<size_t>(begin), static_cast<size_t>(end));
  let_go_.store(end, std::memory_order_relaxed);
}

absl::Status MappedFile::NoteSync(const absl::Status& status) {
  if (sync_failure_.ok()) sync_failure_ = AsPoison(status);
  return sync_failure_;
}

bool MappedFile::sync_failed() const {
  absl::MutexLock lock(&syncing_);
  return !sync_failure_.ok();
}

}  // namespace varve
