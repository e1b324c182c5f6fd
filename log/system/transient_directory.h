// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_TRANSIENT_DIRECTORY_H_
#define VARVE_LOG_SYSTEM_TRANSIENT_DIRECTORY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

// A directory in another one that holds no descriptor: it is opened for each
// call, unless it is kept open. It serves partitions, of which a store may have
// more than a process may have descriptors, and most of which are not written
// to.
//
// A failed sync is remembered, and no later one returns OK: the kernel reports
// a failure once, and not which names it concerns. Failing to open the
// directory is not a failed sync.
//
// Errors: every method may also fail to open the directory, with file errors
// (log/system/errno_status.h).
//
// Thread safety: thread-safe.
class TransientDirectory final : public Directory {
 public:
  TransientDirectory(std::shared_ptr<Directory> parent, std::string name);

  absl::StatusOr<std::unique_ptr<File>> OpenFile(std::string_view name,
                                                 OpenMode mode) override;
  absl::StatusOr<FileSystemType> Type() override;
  absl::StatusOr<std::vector<DirectoryIdentity>> Lineage() override;
  absl::StatusOr<std::vector<DirectoryEntry>> List() override;
  absl::StatusOr<int64_t> DiskBytes() override;
  absl::StatusOr<int64_t> FreeBytes() override;
  absl::Status Rename(std::string_view from, std::string_view to) override;
  absl::Status RemoveFile(std::string_view name) override;
  absl::Status Sync() override;
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view name) override;
  absl::Status CreateDirectory(std::string_view name) override;
  absl::Status RemoveDirectory(std::string_view name) override;
  absl::Status KeepOpen() override;
  void LetGo() override;
  // Calls under way finish in this directory, not in another of its name.
  void Detach() override;

 private:
  absl::StatusOr<std::shared_ptr<Directory>> Open();

  const std::shared_ptr<Directory> parent_;
  const std::string name_;

  absl::Mutex mu_;
  bool detached_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<Directory> kept_ ABSL_GUARDED_BY(mu_);  // null: not kept open

  absl::Mutex syncing_ ABSL_ACQUIRED_BEFORE(mu_);
  absl::Status sync_failure_ ABSL_GUARDED_BY(syncing_);  // the first one
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_TRANSIENT_DIRECTORY_H_
