// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_METERED_DIRECTORY_H_
#define VARVE_LOG_METERS_METERED_DIRECTORY_H_

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/meters/held_files.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

// A directory that forwards calls to another one and counts what is held open
// of it and below it: directories and files as descriptors, and mappings. So a
// store knows its own share of the process's limits. KeepOpen, LetGo and Detach
// are not forwarded and do nothing: it wraps directories that hold a
// descriptor.
//
// Thread safety: thread-safe, as the other one.
class MeteredDirectory final : public Directory {
 public:
  MeteredDirectory(std::unique_ptr<Directory> base,
                   std::shared_ptr<HeldFiles> held);
  ~MeteredDirectory() override;

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

 private:
  const std::unique_ptr<Directory> base_;
  const std::shared_ptr<HeldFiles> held_;
};

}  // namespace varve

#endif  // VARVE_LOG_METERS_METERED_DIRECTORY_H_
