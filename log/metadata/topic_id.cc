// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/topic_id.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/log/absl_check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "varve/index/big_endian.h"

namespace varve {
namespace {

constexpr size_t kTextSize = 22;
static_assert(6 * kTextSize >= 2 * 64 && 6 * (kTextSize - 1) < 2 * 64,
              "a character has six bits");
constexpr size_t kShownMax = 64;

// A UUID of version 7 begins with 48 bits of milliseconds, then come four of
// the version and twelve random ones; the other half begins with the variant,
// '10'.
constexpr int kTimeShift = 16;
constexpr uint64_t kVersionMask = 0xf000;
constexpr uint64_t kVersion7 = 0x7000;
static_assert((kVersion7 & ~kVersionMask) == 0);
constexpr int kVariantShift = 62;
constexpr uint64_t kVariant = 2;
// The end of the year 9999. The text begins with '-' when the first six bits
// are 62: in the year 10610.
constexpr int64_t kCreatedMax = 253'402'300'799'999;
static_assert(kCreatedMax >> (64 - kTimeShift) == 0, "it has 48 bits");

std::string Shown(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShownMax)), "\"");
}

absl::Status Damage(int line, std::string_view what) {
  return absl::DataLossError(absl::StrCat("line ", line, ": ", what));
}

// The value in a line "key: value".
absl::StatusOr<std::string_view> ValueOf(std::string_view text, int line,
                                         std::string_view key) {
  std::string_view rest = text;
  if (absl::ConsumePrefix(&rest, key) && absl::ConsumePrefix(&rest, ": ")) {
    return rest;
  }
  return Damage(line, absl::StrCat("not \"", key, ": \" but ", Shown(text)));
}

}  // namespace

TopicId TopicId::Create(int64_t unix_ms, uint64_t random_high,
                        uint64_t random_low) {
  const auto time =
      static_cast<uint64_t>(std::clamp(unix_ms, int64_t{0}, kCreatedMax));
  const uint64_t random = random_high & ((uint64_t{1} << kTimeShift) - 1);
  const TopicId id((time << kTimeShift) | (random & ~kVersionMask) | kVersion7,
                   (random_low & ~(uint64_t{3} << kVariantShift)) |
                       kVariant << kVariantShift);
  ABSL_CHECK_EQ(id.created_ms().value_or(-1), static_cast<int64_t>(time));
  return id;
}

std::optional<int64_t> TopicId::created_ms() const {
  if ((high_ & kVersionMask) != kVersion7 || low_ >> kVariantShift != kVariant)
    return std::nullopt;
  return static_cast<int64_t>(high_ >> kTimeShift);
}

absl::StatusOr<TopicId> TopicId::FromText(std::string_view text) {
  std::string bytes;
  if (text.size() == kTextSize && absl::WebSafeBase64Unescape(text, &bytes) &&
      bytes.size() == 2 * sizeof(uint64_t)) {
    const TopicId id(static_cast<uint64_t>(LoadBig64(bytes.data())),
                     static_cast<uint64_t>(LoadBig64(bytes.data() + 8)));
    if (id.ToText() == text) return id;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "a topic id is 22 characters of URL-safe base64, not ", Shown(text)));
}

std::string TopicId::ToText() const {
  std::array<char, 2 * sizeof(uint64_t)> bytes;
  StoreBig64(bytes.data(), static_cast<int64_t>(high_));
  StoreBig64(bytes.data() + sizeof(uint64_t), static_cast<int64_t>(low_));
  return absl::WebSafeBase64Escape(
      std::string_view(bytes.data(), bytes.size()));
}

std::string FormatPartitionMetadata(TopicId id) {
  ABSL_CHECK(!id.is_none());
  return absl::StrCat("version: 0\ntopic_id: ", id.ToText());
}

absl::StatusOr<TopicId> ParsePartitionMetadata(std::string_view text) {
  absl::ConsumeSuffix(&text, "\n");
  const std::vector<std::string_view> lines = absl::StrSplit(text, '\n');
  absl::StatusOr<std::string_view> version = ValueOf(lines[0], 1, "version");
  if (!version.ok()) return version.status();
  int32_t number = 0;
  if (!absl::SimpleAtoi(*version, &number) || number < 0) {
    return Damage(1, absl::StrCat("not a version: ", Shown(*version)));
  }
  if (lines.size() != 2) {
    return Damage(
        2, absl::StrCat("2 lines were expected, ", lines.size(), " are there"));
  }
  absl::StatusOr<std::string_view> value = ValueOf(lines[1], 2, "topic_id");
  if (!value.ok()) return value.status();
  absl::StatusOr<TopicId> id = TopicId::FromText(*value);
  if (!id.ok()) return Damage(2, id.status().message());
  if (id->is_none()) return Damage(2, "the topic id is all zeros");
  return *id;
}

}  // namespace varve
