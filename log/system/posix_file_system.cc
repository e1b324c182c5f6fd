// SPDX-License-Identifier: Apache-2.0

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/no_destructor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/posix_directory.h"
#include "varve/log/system/posix_mapping.h"

namespace varve {
namespace {

// Creates `path`, whose parent exists, unless it is a directory already.
absl::Status CreateOne(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode) ? absl::OkStatus()
                                   : ErrnoStatus(ENOTDIR, "mkdir", path);
  }
  if (errno != ENOENT) return ErrnoStatus(errno, "stat", path);
  const size_t slash = path.rfind('/');
  const std::string above =
      slash == path.npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
  const std::string name = slash == path.npos ? path : path.substr(slash + 1);
  absl::StatusOr<std::unique_ptr<PosixDirectory>> parent =
      PosixDirectory::Open(above);
  if (!parent.ok()) return parent.status();
  const absl::Status created = (*parent)->CreateDirectory(name);
  if (absl::IsAlreadyExists(created)) return absl::OkStatus();
  if (!created.ok()) return created;
  return (*parent)->Sync();
}

class PosixFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      const std::string& path) override {
    return PosixDirectory::Open(path);
  }

  absl::Status CreateDirectories(const std::string& path) override {
    if (path.empty()) return ErrnoStatus(ENOENT, "mkdir", path);
    for (size_t end = 0; end != path.npos;) {
      const size_t begin = path.find_first_not_of('/', end);
      if (begin == path.npos) break;
      end = path.find('/', begin);
      absl::Status status = CreateOne(path.substr(0, end));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Mapping>> MapMemory(size_t size) override {
    return PosixMapping::MapMemory(size);
  }
};

}  // namespace

FileSystem* FileSystem::Posix() {
  static absl::NoDestructor<PosixFileSystem> posix;
  return posix.get();
}

}  // namespace varve
