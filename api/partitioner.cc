// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitioner.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/log/check.h"

namespace varve {
namespace {

constexpr uint32_t kSeed = 0x9747b28c;
constexpr uint32_t kMultiplier = 0x5bd1e995;
constexpr size_t kWordSize = 4;

// The hash is defined on little-endian words whatever the machine.
uint32_t LoadWord(const char* at, size_t size) {
  uint32_t word = 0;
  for (size_t i = 0; i < size; ++i) {
    word |= uint32_t{static_cast<uint8_t>(at[i])} << (8 * i);
  }
  return word;
}

}  // namespace

uint32_t Murmur2(std::string_view bytes) {
  uint32_t hash = kSeed ^ static_cast<uint32_t>(bytes.size());
  for (; bytes.size() >= kWordSize; bytes.remove_prefix(kWordSize)) {
    uint32_t word = LoadWord(bytes.data(), kWordSize) * kMultiplier;
    word = (word ^ (word >> 24)) * kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  if (!bytes.empty()) {
    hash = (hash ^ LoadWord(bytes.data(), bytes.size())) * kMultiplier;
  }
  hash = (hash ^ (hash >> 13)) * kMultiplier;
  return hash ^ (hash >> 15);
}

int32_t PartitionForKey(std::string_view key, int32_t partition_count) {
  CHECK_GT(partition_count, 0);
  return static_cast<int32_t>(Murmur2(key) & 0x7fffffff) % partition_count;
}

}  // namespace varve
