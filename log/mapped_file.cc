// SPDX-License-Identifier: Apache-2.0

#include "log/mapped_file.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/file_system.h"

namespace varve {
namespace {

int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

MappedFile::MappedFile(std::unique_ptr<File> file,
                       std::unique_ptr<Mapping> mapping, int64_t capacity,
                       int64_t allocated)
    : path_(file->path()),
      capacity_(capacity),
      file_(std::move(file)),
      mapping_(std::move(mapping)),
      allocated_(allocated) {}

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::Create(
    Directory& directory, std::string_view name, int64_t capacity) {
  CHECK_GT(capacity, 0);
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(name, OpenMode::kCreateNew);
  if (!file.ok()) return file.status();
  auto mapping =
      (*file)->Map(static_cast<size_t>(capacity), MapAccess::kReadWrite);
  if (!mapping.ok()) {
    // The mapping's error is what the caller must hear of.
    directory.RemoveFile(name).IgnoreError();
    return mapping.status();
  }
  return std::unique_ptr<MappedFile>(
      new MappedFile(*std::move(file), *std::move(mapping), capacity, 0));
}

absl::StatusOr<std::unique_ptr<MappedFile>> MappedFile::OpenForAppend(
    Directory& directory, std::string_view name, int64_t capacity) {
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(name, OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  capacity = std::max({capacity, *size, int64_t{1}});
  auto mapping =
      (*file)->Map(static_cast<size_t>(capacity), MapAccess::kReadWrite);
  if (!mapping.ok()) return mapping.status();
  return std::unique_ptr<MappedFile>(
      new MappedFile(*std::move(file), *std::move(mapping), capacity, *size));
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

absl::Status MappedFile::Grow(int64_t end) {
  CHECK_LE(end, capacity_);
  CHECK(file_ != nullptr) << "a read-only file cannot grow: " << path_;
  const int64_t step =
      std::clamp(allocated_, kAllocationStepMin, kAllocationStepMax);
  const int64_t needed = std::min(RoundUp(end, kAllocationStepMin), capacity_);
  const int64_t wanted =
      std::min(std::max(needed, RoundUp(allocated_ + step, kAllocationStepMin)),
               capacity_);
  absl::Status status = file_->Allocate(allocated_, wanted);
  int64_t reached = wanted;
  if (absl::IsResourceExhausted(status) && needed < wanted) {
    status = file_->Allocate(allocated_, needed);
    reached = needed;
  }
  if (status.ok()) allocated_ = reached;
  return status;
}

absl::Status MappedFile::Seal(int64_t size) {
  CHECK_LE(size, allocated_);
  if (file_ == nullptr) return absl::OkStatus();
  if (absl::Status status = file_->Truncate(size); !status.ok()) return status;
  allocated_ = size;
  return mapping_->ProtectReadOnly();
}

absl::Status MappedFile::Sync() {
  return file_ == nullptr ? absl::OkStatus() : file_->Sync();
}

}  // namespace varve
