// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_POSIX_MAPPING_H_
#define VARVE_LOG_SYSTEM_POSIX_MAPPING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// A mapping made with mmap(2): of a file, shared, or of private memory. It does
// not need the descriptor once it is made.
//
// Thread safety: as `Mapping`.
class PosixMapping final : public Mapping {
 public:
  // Maps the first `size` bytes of the file.
  //
  // Errors: InvalidArgument for a size of 0; other file errors
  // (log/system/errno_status.h).
  static absl::StatusOr<std::unique_ptr<Mapping>> Map(int descriptor,
                                                      const std::string& path,
                                                      size_t size,
                                                      MapAccess access);

  // Does what FileSystem::MapMemory says.
  static absl::StatusOr<std::unique_ptr<Mapping>> MapMemory(size_t size);

  // Does what File::ShowIn says, with any mapping.
  static absl::Status ShowFile(int descriptor, const std::string& path,
                               Mapping& mapping, int64_t begin, int64_t end);

  ~PosixMapping() override;

  absl::Status ProtectReadOnly() override;
  absl::Status Populate(size_t begin, size_t end) override;
  void LetGo(size_t begin, size_t end) override;
  absl::Status Sync(size_t begin, size_t end) override;

 private:
  PosixMapping(char* data, size_t size, MapAccess access, std::string path);

  const MapAccess access_;
  const std::string path_;  // for messages
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_POSIX_MAPPING_H_
