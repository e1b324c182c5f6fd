// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_SCRATCH_DIRECTORY_H_
#define VARVE_TESTS_SCRATCH_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/log/check.h"
#include "gtest/gtest.h"

namespace varve {

// A new empty directory of a test's own, removed with all it holds on
// destruction.
class ScratchDirectory {
 public:
  ScratchDirectory() : path_(testing::TempDir() + "varve-XXXXXX") {
    CHECK(mkdtemp(path_.data()) != nullptr) << path_;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace varve

#endif  // VARVE_TESTS_SCRATCH_DIRECTORY_H_
