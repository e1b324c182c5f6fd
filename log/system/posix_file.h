// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_POSIX_FILE_H_
#define VARVE_LOG_SYSTEM_POSIX_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/log/system/file_descriptor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// A regular file, accessed by system calls.
//
// Thread safety: as `File`; calls of Allocate and Truncate take turns.
class PosixFile final : public File {
 public:
  // Opens `name` in the directory whose descriptor is `directory`; `path` is
  // its whole path, for messages.
  //
  // Errors: those of `Directory::OpenFile`.
  static absl::StatusOr<std::unique_ptr<File>> Open(int directory,
                                                    std::string_view name,
                                                    std::string path,
                                                    OpenMode mode);

  absl::StatusOr<int64_t> Size() override;
  absl::StatusOr<absl::Time> ModifiedAt() override;
  absl::Status SetModifiedAt(absl::Time time) override;
  absl::StatusOr<size_t> ReadAt(int64_t position,
                                absl::Span<char> out) override;
  absl::Status WriteAt(int64_t position, std::string_view bytes) override;
  absl::Status Allocate(int64_t begin, int64_t end) override;
  absl::Status Truncate(int64_t size) override;
  absl::Status Sync() override;
  absl::Status DropCache() override;
  absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t size,
                                               MapAccess access) override;
  absl::Status ShowIn(Mapping& mapping, int64_t begin, int64_t end) override;
  absl::Status Lock() override;
  absl::StatusOr<bool> IsLockedByOther() override;

 private:
  PosixFile(FileDescriptor descriptor, std::string path);

  absl::Status Error(int error, std::string_view call) const;

  const FileDescriptor descriptor_;
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_POSIX_FILE_H_
