// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_POSIX_DIRECTORY_H_
#define VARVE_LOG_SYSTEM_POSIX_DIRECTORY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/file_descriptor.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

// A directory, accessed by system calls relative to its descriptor, so that
// renaming it or a parent of it does no harm.
//
// Thread safety: as `Directory`.
class PosixDirectory final : public Directory {
 public:
  // Opens the directory at `path`, following links.
  //
  // Errors: NotFound; FailedPrecondition when it is not a directory.
  static absl::StatusOr<std::unique_ptr<PosixDirectory>> Open(
      const std::string& path);

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
  PosixDirectory(FileDescriptor descriptor, std::string path);

  const FileDescriptor descriptor_;
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_POSIX_DIRECTORY_H_
