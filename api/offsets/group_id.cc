// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/group_id.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/utf8.h"

namespace varve {
namespace {

constexpr size_t kShownMax = 80;
constexpr uint32_t kHashMultiplier = 31;  // of Java's String.hashCode

// Java's hash of a string: over its UTF-16 units, in 32 bits that wrap.
uint32_t JavaHash(std::string_view utf8) {
  uint32_t hash = 0;
  while (!utf8.empty()) {
    const Utf8Character character = FirstUtf8Character(utf8);
    CHECK_GT(character.size, 0u) << "not UTF-8";
    utf8.remove_prefix(character.size);
    if (character.code < 0x10000) {
      hash = hash * kHashMultiplier + character.code;
      continue;
    }
    const uint32_t beyond = character.code - 0x10000;
    hash = hash * kHashMultiplier + (0xd800 + (beyond >> 10));
    hash = hash * kHashMultiplier + (0xdc00 + (beyond & 0x3ff));
  }
  return hash;
}

}  // namespace

absl::Status ValidateGroupId(std::string_view group) {
  if (group.empty()) {
    return absl::InvalidArgumentError("the group's id is empty: name it");
  }
  if (group.size() > kGroupIdSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("group \"", absl::CHexEscape(group.substr(0, kShownMax)),
                     "...\": its id has ", group.size(),
                     " bytes, and may have ", kGroupIdSizeMax, " at most"));
  }
  if (!IsUtf8(group)) {
    return absl::InvalidArgumentError(
        absl::StrCat("group \"", absl::CHexEscape(group.substr(0, kShownMax)),
                     "\": its id is not UTF-8"));
  }
  return absl::OkStatus();
}

std::string QuotedGroup(std::string_view group) {
  return absl::StrCat("group \"", absl::Utf8SafeCHexEscape(group), "\"");
}

int32_t PartitionForGroup(std::string_view group, int32_t partition_count) {
  CHECK_GT(partition_count, 0);
  const auto hash = static_cast<int32_t>(JavaHash(group));
  // Kafka's Utils.abs does this: the one number without a positive counterpart
  // is 0.
  if (hash == std::numeric_limits<int32_t>::min()) return 0;
  return (hash < 0 ? -hash : hash) % partition_count;
}

}  // namespace varve
