// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_SPACE_GUARDED_DIRECTORY_H_
#define VARVE_API_SPACE_GUARDED_DIRECTORY_H_

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/space/free_space_guard.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

// How segments take blocks of the disk: File::Allocate ahead of the appends, or
// File::WriteAt by each append, where the file system does not keep allocated
// blocks (FileSystemSupport).
enum class BlockUse { kAllocated, kWritten };

// The data directory of a store whose appends a FreeSpaceGuard watches over: it
// forwards all calls to another directory, but asks the guard before blocks are
// taken for the batches of a partition. That is the one place that they all
// come through: those that an append needs, of a new segment and of one that is
// made ready, and those that are allocated ahead.
//
// It is not asked for what is small beside the batches: indexes, which recovery
// makes again, and the store's own files; nor for the batches of internal
// topics: a commit of offsets takes little, and a consumer that cannot commit
// cannot trim what it has read either. All that frees space is forwarded.
//
// KeepOpen, LetGo and Detach are not forwarded and do nothing: it wraps
// directories that hold a descriptor.
//
// Thread safety: thread-safe, as the other one.
class GuardedDirectory final : public Directory {
 public:
  GuardedDirectory(std::shared_ptr<Directory> base,
                   std::shared_ptr<FreeSpaceGuard> guard, BlockUse use)
      : GuardedDirectory(std::move(base), std::move(guard), use,
                         Place::kStore) {}

  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 OpenMode mode) override;
  absl::StatusOr<FileSystemType> Type() override { return base_->Type(); }
  absl::StatusOr<std::vector<DirectoryIdentity>> Lineage() override {
    return base_->Lineage();
  }
  absl::StatusOr<std::vector<DirectoryEntry>> List() override {
    return base_->List();
  }
  absl::StatusOr<int64_t> DiskBytes() override { return base_->DiskBytes(); }
  absl::StatusOr<int64_t> FreeBytes() override { return base_->FreeBytes(); }
  absl::Status Rename(std::string_view from, std::string_view to) override {
    return base_->Rename(from, to);
  }
  absl::Status RemoveFile(std::string_view name) override {
    return base_->RemoveFile(name);
  }
  absl::Status Sync() override { return base_->Sync(); }
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view name) override;
  absl::Status CreateDirectory(std::string_view name) override {
    return base_->CreateDirectory(name);
  }
  absl::Status RemoveDirectory(std::string_view name) override {
    return base_->RemoveDirectory(name);
  }

 private:
  enum class Place { kStore, kPartition };

  GuardedDirectory(std::shared_ptr<Directory> base,
                   std::shared_ptr<FreeSpaceGuard> guard, BlockUse use,
                   Place place);

  const std::shared_ptr<Directory> base_;
  const std::shared_ptr<FreeSpaceGuard> guard_;
  const BlockUse use_;
  const Place place_;
};

}  // namespace varve

#endif  // VARVE_API_SPACE_GUARDED_DIRECTORY_H_
