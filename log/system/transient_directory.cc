// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/transient_directory.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

TransientDirectory::TransientDirectory(std::shared_ptr<Directory> parent,
                                       std::string name)
    : Directory(parent->PathOf(name)),
      parent_(std::move(parent)),
      name_(std::move(name)) {}

absl::StatusOr<std::shared_ptr<Directory>> TransientDirectory::Open() {
  absl::ReaderMutexLock lock(&mu_);
  if (detached_)
    return absl::NotFoundError(absl::StrCat(path(), ": was deleted"));
  if (kept_ != nullptr) return kept_;
  return parent_->OpenDirectory(name_);
}

absl::Status TransientDirectory::KeepOpen() {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  if (!directory.ok()) return directory.status();
  absl::MutexLock lock(&mu_);
  if (!detached_) kept_ = *std::move(directory);
  return absl::OkStatus();
}

void TransientDirectory::LetGo() {
  std::shared_ptr<Directory> closed;  // closed after the lock is released
  absl::MutexLock lock(&mu_);
  closed.swap(kept_);
}

void TransientDirectory::Detach() {
  absl::MutexLock lock(&mu_);
  detached_ = true;
  kept_ = nullptr;
}

absl::StatusOr<std::unique_ptr<File>> TransientDirectory::OpenFile(
    std::string_view name, OpenMode mode) {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  if (!directory.ok()) return directory.status();
  return (*directory)->OpenFile(name, mode);
}

absl::StatusOr<FileSystemType> TransientDirectory::Type() {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  if (!directory.ok()) return directory.status();
  return (*directory)->Type();
}

absl::StatusOr<std::vector<DirectoryIdentity>> TransientDirectory::Lineage() {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  if (!directory.ok()) return directory.status();
  return (*directory)->Lineage();
}

absl::StatusOr<std::vector<DirectoryEntry>> TransientDirectory::List() {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  if (!directory.ok()) return directory.status();
  return (*directory)->List();
}

absl::StatusOr<int64_t> TransientDirectory::DiskBytes() {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  return directory.ok() ? (*directory)->DiskBytes()
                        : absl::StatusOr<int64_t>(directory.status());
}

absl::StatusOr<int64_t> TransientDirectory::FreeBytes() {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  return directory.ok() ? (*directory)->FreeBytes()
                        : absl::StatusOr<int64_t>(directory.status());
}

absl::Status TransientDirectory::Rename(std::string_view from,
                                        std::string_view to) {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  return directory.ok() ? (*directory)->Rename(from, to) : directory.status();
}

absl::Status TransientDirectory::RemoveFile(std::string_view name) {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  return directory.ok() ? (*directory)->RemoveFile(name) : directory.status();
}

absl::Status TransientDirectory::Sync() {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  if (!directory.ok()) return directory.status();
  absl::MutexLock one_at_a_time(&syncing_);
  const absl::Status status = (*directory)->Sync();
  if (sync_failure_.ok()) sync_failure_ = AsPoison(status);
  return sync_failure_;
}

absl::StatusOr<std::unique_ptr<Directory>> TransientDirectory::OpenDirectory(
    std::string_view name) {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  if (!directory.ok()) return directory.status();
  return (*directory)->OpenDirectory(name);
}

absl::Status TransientDirectory::CreateDirectory(std::string_view name) {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  return directory.ok() ? (*directory)->CreateDirectory(name)
                        : directory.status();
}

absl::Status TransientDirectory::RemoveDirectory(std::string_view name) {
  absl::StatusOr<std::shared_ptr<Directory>> directory = Open();
  return directory.ok() ? (*directory)->RemoveDirectory(name)
                        : directory.status();
}

}  // namespace varve
