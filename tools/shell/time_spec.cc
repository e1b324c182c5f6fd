// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/time_spec.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}

bool IsLetter(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c));
}

// A unit, as a multiple of one that Abseil knows.
struct Unit {
  std::string_view name;
  std::string_view of;
  int factor;
};
constexpr std::array<Unit, 6> kUnits = {{{"ms", "ms", 1},
                                         {"s", "s", 1},
                                         {"m", "m", 1},
                                         {"h", "h", 1},
                                         {"d", "h", 24},
                                         {"w", "h", 7 * 24}}};

// Null when there is none of that name.
const Unit* FindUnit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// The first of `text` that are of one kind; they are taken off it.
std::string_view TakeWhile(bool (*is)(char), std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && is(text[size])) ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

// Numbers, each with its unit: 1h30m. Nothing for anything else.
std::optional<absl::Duration> ParseSpan(std::string_view text) {
  if (text.empty()) return std::nullopt;
  absl::Duration span;
  while (!text.empty()) {
    const std::string_view number =
        TakeWhile([](char c) { return IsDigit(c) || c == '.'; }, text);
    const Unit* const unit = FindUnit(TakeWhile(IsLetter, text));
    absl::Duration part;
    if (number.empty() || unit == nullptr ||
        !absl::ParseDuration(absl::StrCat(number, unit->of), &part)) {
      return std::nullopt;
    }
    span += part * unit->factor;
  }
  return span;
}

// The parser alone would take 26-1-2 for a day of the year 26.
bool BeginsWithDate(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  if (text.size() < kForm.size()) return false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == 'd' ? !IsDigit(text[i]) : text[i] != kForm[i]) return false;
  }
  return true;
}

std::optional<absl::Time> ParseDate(std::string_view text) {
  if (!BeginsWithDate(text)) return std::nullopt;
  absl::Time time;
  for (const char* format :
       {"%Y-%m-%d", "%Y-%m-%d%ET%H:%M", "%Y-%m-%d%ET%H:%M:%E*S",
        "%Y-%m-%d%ET%H:%M%Ez", absl::RFC3339_full}) {
    if (absl::ParseTime(format, text, &time, /*err=*/nullptr)) return time;
  }
  return std::nullopt;
}

std::optional<absl::Time> Parse(std::string_view text, absl::Time now) {
  if (absl::ConsumePrefix(&text, "-")) {
    const std::optional<absl::Duration> ago = ParseSpan(text);
    if (!ago.has_value()) return std::nullopt;
    // Sums out of range are infinite.
    const absl::Time time = now - *ago;
    if (time == absl::InfinitePast()) return std::nullopt;
    return time;
  }
  const absl::StatusOr<int64_t> timestamp_ms =
      ParseWholeNumber(text, 0, kTimestampMax);
  if (timestamp_ms.ok()) return absl::FromUnixMillis(*timestamp_ms);
  return ParseDate(text);
}

}  // namespace

absl::StatusOr<absl::Time> ParseTimeSpec(std::string_view text,
                                         absl::Time now) {
  const std::optional<absl::Time> time = Parse(text, now);
  if (time.has_value()) return *time;
  return absl::InvalidArgumentError(
      "neither a time like 2026-11-20T10:00:00Z or 2026-11-20 (UTC unless a "
      "zone is said), nor milliseconds since 1970, nor a time ago like -1h30m "
      "or -7d, in ms s m h d w");
}

}  // namespace varve
