// SPDX-License-Identifier: Apache-2.0

#include "varve/api/space/guarded_directory.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/api/space/free_space_guard.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// One of the files that a log grows by: the batches, with or without a name,
// and those that compaction writes again.
bool HoldsBatches(std::string_view name) {
  const std::optional<SwapFile> swap = ParseSwapFileName(name);
  return name == kReadyLogName || name.ends_with(".log") ||
         (swap.has_value() && swap->file.kind == SegmentFileKind::kLog);
}

class GuardedFile final : public File {
 public:
  GuardedFile(std::unique_ptr<File> base, std::shared_ptr<FreeSpaceGuard> guard,
              BlockUse use)
      : File(base->path()),
        base_(std::move(base)),
        guard_(std::move(guard)),
        use_(use) {}

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
    if (use_ == BlockUse::kAllocated) return base_->WriteAt(position, bytes);
    return guard_->Allocate(
        {.path = path(), .bytes = static_cast<int64_t>(bytes.size())},
        [&] { return base_->WriteAt(position, bytes); });
  }
  absl::Status Allocate(int64_t begin, int64_t end) override {
    CHECK_LE(begin, end);
    return guard_->Allocate({.path = path(), .bytes = end - begin},
                            [&] { return base_->Allocate(begin, end); });
  }
  absl::Status Truncate(int64_t size) override { return base_->Truncate(size); }
  absl::Status Sync() override { return base_->Sync(); }
  absl::Status DropCache() override { return base_->DropCache(); }
  absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t size,
                                               MapAccess access) override {
    return base_->Map(size, access);
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
  const std::shared_ptr<FreeSpaceGuard> guard_;
  const BlockUse use_;
};

}  // namespace

GuardedDirectory::GuardedDirectory(std::shared_ptr<Directory> base,
                                   std::shared_ptr<FreeSpaceGuard> guard,
                                   BlockUse use, Place place)
    : Directory(base->path()),
      base_(std::move(base)),
      guard_(std::move(guard)),
      use_(use),
      place_(place) {}

absl::StatusOr<std::unique_ptr<File>> GuardedDirectory::OpenFile(
    std::string_view name, OpenMode mode) {
  absl::StatusOr<std::unique_ptr<File>> file = base_->OpenFile(name, mode);
  if (!file.ok() || place_ == Place::kStore || mode == OpenMode::kRead ||
      !HoldsBatches(name)) {
    return file;
  }
  return std::make_unique<GuardedFile>(*std::move(file), guard_, use_);
}

absl::StatusOr<std::unique_ptr<Directory>> GuardedDirectory::OpenDirectory(
    std::string_view name) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      base_->OpenDirectory(name);
  if (!directory.ok()) return directory;
  const std::optional<TopicPartition> partition =
      ParsePartitionDirectoryName(name);
  if (!partition.has_value() || IsInternalTopicName(partition->topic))
    return directory;
  return std::unique_ptr<Directory>(new GuardedDirectory(
      *std::move(directory), guard_, use_, Place::kPartition));
}

}  // namespace varve
