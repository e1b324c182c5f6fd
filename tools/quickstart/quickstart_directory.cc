// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/quickstart/quickstart_directory.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/system/errno_status.h"

namespace varve {

absl::StatusOr<std::string> ChooseQuickstartDirectory() {
  namespace fs = std::filesystem;
  const char* wanted = getenv("VARVE_DATA");
  if (wanted != nullptr && *wanted != '\0') {
    std::error_code error;
    const bool there = fs::exists(wanted, error);
    if (!there || (fs::is_directory(wanted, error) &&
                   fs::is_empty(wanted, error) && !error)) {
      return std::string(wanted);
    }
    std::cerr << absl::StrCat("varve: VARVE_DATA, ", wanted,
                              ", is not empty; it is left alone\n");
  }
  const char* base = getenv("TMPDIR");
  std::string path =
      absl::StrCat(base == nullptr || *base == '\0' ? "/tmp" : base,
                   "/varve-quickstart-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return ErrnoStatus(errno, "mkdtemp", path);
  }
  return path;
}

std::string DurabilityCaveat(const std::string& path) {
  struct statfs status;
  if (statfs(path.c_str(), &status) != 0) return "";
  if (status.f_type != TMPFS_MAGIC) return "";
  return "a tmpfs, in memory: syncs cost nothing there, and a power loss takes "
         "it all";
}

}  // namespace varve
