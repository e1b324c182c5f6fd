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

namespace varve {
namespace {

constexpr size_t kShownMax = 80;
constexpr uint32_t kHashMultiplier = 31;  // of Java's String.hashCode

// One character of UTF-8; its size is 0 when the bytes are none.
struct Utf8Character {
  uint32_t code = 0;
  size_t size = 0;
};

// Shortest forms only, no surrogates, nothing above U+10FFFF (RFC 3629).
Utf8Character FirstCharacter(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (byte(0) < 0x80) return {.code = byte(0), .size = 1};
  const size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || size > bytes.size()) return {};
  uint32_t code = byte(0) & (0x7fU >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  const bool too_long =
      (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (too_long || surrogate || code > 0x10ffff) return {};
  return {.code = code, .size = size};
}

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const Utf8Character character = FirstCharacter(bytes);
    if (character.size == 0) return false;
    bytes.remove_prefix(character.size);
  }
  return true;
}

// Java's hash of a string: over its UTF-16 units, in 32 bits that wrap.
uint32_t JavaHash(std::string_view utf8) {
  uint32_t hash = 0;
  while (!utf8.empty()) {
    const Utf8Character character = FirstCharacter(utf8);
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
