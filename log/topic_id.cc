// SPDX-License-Identifier: Apache-2.0

#include "log/topic_id.h"

#include <array>
#include <cstddef>
#include <cstdint>
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
#include "index/big_endian.h"

namespace varve {
namespace {

constexpr size_t kTextSize = 22;
constexpr size_t kShownMax = 64;

// The text begins with '-' when the first six bits are 62.
constexpr uint64_t kFirstDigit = 0x3f;
constexpr int kFirstDigitShift = 58;
constexpr uint64_t kMinus = 62;

std::string Shown(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShownMax)), "\"");
}

absl::Status Damage(int line, std::string_view what) {
  return absl::DataLossError(absl::StrCat("line ", line, ": ", what));
}

// "key: value" gives the value.
absl::StatusOr<std::string_view> ValueOf(std::string_view text, int line,
                                         std::string_view key) {
  std::string_view rest = text;
  if (absl::ConsumePrefix(&rest, key) && absl::ConsumePrefix(&rest, ": ")) {
    return rest;
  }
  return Damage(line, absl::StrCat("not \"", key, ": \" but ", Shown(text)));
}

}  // namespace

TopicId TopicId::FromRandom(uint64_t high, uint64_t low) {
  high = (high & ~uint64_t{0xf000}) | 0x4000;
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  if (((high >> kFirstDigitShift) & kFirstDigit) == kMinus) {
    high ^= uint64_t{1} << kFirstDigitShift << 5;
  }
  return TopicId(high, low);
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
