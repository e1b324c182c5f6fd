// SPDX-License-Identifier: Apache-2.0

#include "bench/dirty_limit.h"

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

namespace varve::bench {
namespace {

std::optional<int64_t> NumberIn(const std::string& path) {
  std::ifstream file(path);
  int64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

std::optional<int64_t> AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  int64_t kib = 0;
  std::string unit;
  while (file >> name >> kib) {
    if (name == "MemAvailable:") return kib * 1024;
    std::getline(file, unit);  // "kB", or nothing
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> DirtyBackgroundLimit() {
  const std::optional<int64_t> bytes =
      NumberIn("/proc/sys/vm/dirty_background_bytes");
  if (bytes.value_or(0) > 0) return bytes;
  const std::optional<int64_t> percent =
      NumberIn("/proc/sys/vm/dirty_background_ratio");
  const std::optional<int64_t> available = AvailableMemory();
  if (!percent.has_value() || !available.has_value()) return std::nullopt;
  return *available / 100 * *percent;
}

}  // namespace varve::bench
