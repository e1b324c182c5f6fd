// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_PROCESS_FOOTPRINT_H_
#define VARVE_TESTS_PROCESS_FOOTPRINT_H_

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"

namespace varve {

// What this process holds of the system's limited things.
struct ProcessFootprint {
  int64_t descriptors = 0;
  int64_t mappings = 0;
  int64_t resident_kib = 0;

  static ProcessFootprint Now() {
    ProcessFootprint footprint;
    std::error_code error;  // of an entry that is gone again
    for (std::filesystem::directory_iterator at("/proc/self/fd", error), end;
         at != end; at.increment(error)) {
      ++footprint.descriptors;
    }
    if (error) {
      // There was none left to look with.
      struct rlimit limit = {};
      getrlimit(RLIMIT_NOFILE, &limit);
      footprint.descriptors = static_cast<int64_t>(limit.rlim_cur);
    }
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) ++footprint.mappings;
    std::ifstream statm("/proc/self/statm");
    int64_t size_pages = 0;
    statm >> size_pages >> footprint.resident_kib;
    footprint.resident_kib *= 4;
    return footprint;
  }

  void RaiseTo(const ProcessFootprint& other) {
    descriptors = std::max(descriptors, other.descriptors);
    mappings = std::max(mappings, other.mappings);
    resident_kib = std::max(resident_kib, other.resident_kib);
  }

  std::string ToString() const {
    return absl::StrCat(descriptors, " descriptors, ", mappings, " mappings, ",
                        resident_kib / 1024, " MiB resident");
  }
};

// Bytes of disk that the files below `path` take.
inline int64_t DiskUsage(const std::string& path) {
  int64_t bytes = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(path)) {
    struct stat facts = {};
    if (lstat(entry.path().c_str(), &facts) == 0 && S_ISREG(facts.st_mode)) {
      bytes += int64_t{facts.st_blocks} * 512;
    }
  }
  return bytes;
}

// Lowers the soft limit on descriptors while it lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t count) {
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    struct rlimit lower = before_;
    lower.rlim_cur = std::min(before_.rlim_max, count);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  struct rlimit before_ = {};
};

}  // namespace varve

#endif  // VARVE_TESTS_PROCESS_FOOTPRINT_H_
