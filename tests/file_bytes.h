// SPDX-License-Identifier: Apache-2.0

// Whole files, for tests that look at bytes and damage them.

#ifndef VARVE_TESTS_FILE_BYTES_H_
#define VARVE_TESTS_FILE_BYTES_H_

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/check.h"

namespace varve {

inline std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// Replaces the file's content, in the same inode.
inline void WriteBytes(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  CHECK(file.good()) << path;
}

inline std::string WithBitFlipped(std::string bytes, size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

// The names in a directory that begin with `prefix`, sorted.
inline std::vector<std::string> NamesIn(const std::string& directory,
                                        std::string_view prefix = "") {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::string name = entry.path().filename().string();
    if (name.starts_with(prefix)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace varve

#endif  // VARVE_TESTS_FILE_BYTES_H_
