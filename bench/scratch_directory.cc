// SPDX-License-Identifier: Apache-2.0

#include "bench/scratch_directory.h"

#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/base/no_destructor.h"
#include "absl/log/check.h"
#include "absl/strings/str_cat.h"

namespace varve::bench {
namespace {

std::string& Parent() {
  static absl::NoDestructor<std::string> parent([] {
    for (const char* name : {"TEST_TMPDIR", "TMPDIR"}) {
      const char* value = getenv(name);
      if (value != nullptr && *value != '\0') return std::string(value);
    }
    return std::string("/tmp");
  }());
  return *parent;
}

// Memory ordering: relaxed; it is set before other threads could ask.
std::atomic<bool> is_made = false;

std::string MakeRoot() {
  std::string path = absl::StrCat(Parent(), "/varve-bench-XXXXXX");
  CHECK(mkdtemp(path.data()) != nullptr) << path << ": cannot be made";
  is_made.store(true, std::memory_order_relaxed);
  return path;
}

std::string NewName() {
  // Memory ordering: relaxed; each number only has to be unique.
  static std::atomic<int> next = 0;
  return absl::StrCat(ScratchRoot(), "/",
                      next.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace

const std::string& ScratchRoot() {
  static absl::NoDestructor<std::string> root(MakeRoot());
  return *root;
}

void SetScratchParent(std::string parent) { Parent() = std::move(parent); }

void RemoveScratchRoot() {
  if (!is_made.load(std::memory_order_relaxed)) return;
  std::error_code ignored;  // the program is ending: no caller is left
  std::filesystem::remove_all(ScratchRoot(), ignored);
}

ScratchDirectory::ScratchDirectory() : path_(NewName()) {
  std::filesystem::create_directory(path_);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;  // RemoveScratchRoot tries again
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace varve::bench
