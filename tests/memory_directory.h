// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_MEMORY_DIRECTORY_H_
#define VARVE_TESTS_MEMORY_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "tests/scratch_directory.h"

namespace varve {

// A ScratchDirectory in memory, where syncs cost nothing, for tests that make
// many stores; on disk where there is no such place.
class MemoryDirectory {
 public:
  MemoryDirectory() {
    if (mkdtemp(path_.data()) == nullptr) path_ = on_disk_.path();
  }
  MemoryDirectory(const MemoryDirectory&) = delete;
  MemoryDirectory& operator=(const MemoryDirectory&) = delete;
  ~MemoryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  ScratchDirectory on_disk_;
  std::string path_ = "/dev/shm/varve-XXXXXX";
};

}  // namespace varve

#endif  // VARVE_TESTS_MEMORY_DIRECTORY_H_
