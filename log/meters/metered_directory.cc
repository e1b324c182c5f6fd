// SPDX-License-Identifier: Apache-2.0

#include "varve/log/meters/metered_directory.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/log/meters/held_files.h"
#include "varve/log/meters/stop_watch.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {
namespace {

class MeteredMapping final : public Mapping {
 public:
  MeteredMapping(std::unique_ptr<Mapping> base, std::shared_ptr<HeldFiles> held)
      : Mapping(base->data(), base->size()),
        base_(std::move(base)),
        held_(std::move(held)) {
    held_->mappings.Add(1);
    held_->mapped_bytes.Add(static_cast<int64_t>(size()));
  }
  ~MeteredMapping() override {
    held_->mappings.Add(-1);
    held_->mapped_bytes.Add(-static_cast<int64_t>(size()));
    DCHECK_GE(held_->mapped_bytes.value(), 0);
  }

  absl::Status ProtectReadOnly() override { return base_->ProtectReadOnly(); }
  absl::Status Populate(size_t begin, size_t end) override {
    const StopWatch watch(Clock::Real(), &held_->populate_ns);
    absl::Status status = base_->Populate(begin, end);
    if (!status.ok()) return status;
    watch.Stop();
    held_->populated_bytes.Add(static_cast<int64_t>(end - begin));
    return status;
  }
  void LetGo(size_t begin, size_t end) override { base_->LetGo(begin, end); }
  absl::Status Sync(size_t begin, size_t end) override {
    return base_->Sync(begin, end);
  }

 private:
  const std::unique_ptr<Mapping> base_;
  const std::shared_ptr<HeldFiles> held_;
};

class MeteredFile final : public File {
 public:
  MeteredFile(std::unique_ptr<File> base, std::shared_ptr<HeldFiles> held)
      : File(base->path()), base_(std::move(base)), held_(std::move(held)) {
    held_->descriptors.Add(1);
  }
  ~MeteredFile() override {
    held_->descriptors.Add(-1);
    DCHECK_GE(held_->descriptors.value(), 0);
  }

  absl::StatusOr<int64_t> Size() override { return base_->Size(); }
  absl::StatusOr<absl::Time> ModifiedAt() override {
    return base_->ModifiedAt();
  }
  absl::Status SetModifiedAt(absl::Time time) override {
    return base_->SetModifiedAt(time);
  }
  absl::StatusOr<size_t> ReadAt(int64_t position,
                                absl::Span<char> out) override {
    return base_->ReadAt(position, out);
  }
  absl::Status WriteAt(int64_t position, std::string_view bytes) override {
    return base_->WriteAt(position, bytes);
  }
  absl::Status Allocate(int64_t begin, int64_t end) override {
    return base_->Allocate(begin, end);
  }
  absl::Status Truncate(int64_t size) override { return base_->Truncate(size); }
  absl::Status Sync() override { return base_->Sync(); }
  absl::Status DropCache() override { return base_->DropCache(); }
  absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t size,
                                               MapAccess access) override {
    absl::StatusOr<std::unique_ptr<Mapping>> mapping = base_->Map(size, access);
    if (!mapping.ok()) return mapping;
    return std::make_unique<MeteredMapping>(*std::move(mapping), held_);
  }
  absl::Status ShowIn(Mapping& mapping, int64_t begin, int64_t end) override {
    return base_->ShowIn(mapping, begin, end);
  }
  absl::Status Lock() override { return base_->Lock(); }
  absl::StatusOr<bool> IsLockedByOther() override {
    return base_->IsLockedByOther();
  }

 private:
  const std::unique_ptr<File> base_;
  const std::shared_ptr<HeldFiles> held_;
};

}  // namespace

MeteredDirectory::MeteredDirectory(std::unique_ptr<Directory> base,
                                   std::shared_ptr<HeldFiles> held)
    : Directory(base->path()), base_(std::move(base)), held_(std::move(held)) {
  held_->descriptors.Add(1);
}

MeteredDirectory::~MeteredDirectory() { held_->descriptors.Add(-1); }

absl::StatusOr<std::unique_ptr<File>> MeteredDirectory::OpenFile(
    std::string_view name, OpenMode mode) {
  absl::StatusOr<std::unique_ptr<File>> file = base_->OpenFile(name, mode);
  if (!file.ok()) return file;
  return std::make_unique<MeteredFile>(*std::move(file), held_);
}

absl::StatusOr<FileSystemType> MeteredDirectory::Type() {
  return base_->Type();
}

absl::StatusOr<std::vector<DirectoryIdentity>> MeteredDirectory::Lineage() {
  return base_->Lineage();
}

absl::StatusOr<std::vector<DirectoryEntry>> MeteredDirectory::List() {
  return base_->List();
}

absl::StatusOr<int64_t> MeteredDirectory::DiskBytes() {
  return base_->DiskBytes();
}

absl::StatusOr<int64_t> MeteredDirectory::FreeBytes() {
  return base_->FreeBytes();
}

absl::Status MeteredDirectory::Rename(std::string_view from,
                                      std::string_view to) {
  return base_->Rename(from, to);
}

absl::Status MeteredDirectory::RemoveFile(std::string_view name) {
  return base_->RemoveFile(name);
}

absl::Status MeteredDirectory::Sync() { return base_->Sync(); }

absl::StatusOr<std::unique_ptr<Directory>> MeteredDirectory::OpenDirectory(
    std::string_view name) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      base_->OpenDirectory(name);
  if (!directory.ok()) return directory;
  return std::make_unique<MeteredDirectory>(*std::move(directory), held_);
}

absl::Status MeteredDirectory::CreateDirectory(std::string_view name) {
  return base_->CreateDirectory(name);
}

absl::Status MeteredDirectory::RemoveDirectory(std::string_view name) {
  return base_->RemoveDirectory(name);
}

}  // namespace varve
