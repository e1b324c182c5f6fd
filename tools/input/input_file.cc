// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/input/input_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/system/errno_status.h"

namespace varve {

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(
    const std::string& path) {
  if (path == "-") return std::make_unique<InputFile>(STDIN_FILENO, "stdin");
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const absl::Status status = ErrnoStatus(errno, "open", path);
    return absl::Status(
        status.code(),
        absl::StrCat(status.message(),
                     "; name a file that can be read, or - for stdin"));
  }
  return std::make_unique<InputFile>(descriptor, path);
}

InputFile::~InputFile() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

}  // namespace varve
