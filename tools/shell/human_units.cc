// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/human_units.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace varve {
namespace {

// Scales `value` by thousands; one digit after the point below 100.
std::string Scaled(double value, std::string_view unit) {
  constexpr std::string_view kPrefixes[] = {"", "k", "M", "G", "T", "P"};
  size_t i = 0;
  while (value >= 999.5 && i + 1 < std::size(kPrefixes)) {
    value /= 1000;
    ++i;
  }
  const std::string number = i == 0 || value >= 99.95
                                 ? absl::StrFormat("%.0f", value)
                                 : absl::StrFormat("%.1f", value);
  const std::string suffix = absl::StrCat(kPrefixes[i], unit);
  return suffix.empty() ? number : absl::StrCat(number, " ", suffix);
}

}  // namespace

std::string HumanCount(int64_t count) {
  std::string text = absl::StrCat(count);
  const size_t sign = count < 0 ? 1 : 0;
  for (size_t i = text.size(); i > sign + 3;) {
    i -= 3;
    text.insert(i, 1, ',');
  }
  return text;
}

std::string CountOf(int64_t count, std::string_view noun) {
  return absl::StrCat(HumanCount(count), " ", noun, count == 1 ? "" : "s");
}

std::string HumanBytes(int64_t bytes) {
  return Scaled(static_cast<double>(bytes), "B");
}

std::string HumanRate(int64_t count, absl::Duration time) {
  const double seconds =
      absl::ToDoubleSeconds(std::max(time, absl::Nanoseconds(1)));
  return Scaled(static_cast<double>(count) / seconds, "");
}

std::string HumanTime(absl::Duration time) {
  const double seconds = absl::ToDoubleSeconds(time);
  if (seconds < 0.0995) return absl::StrFormat("%.0f ms", seconds * 1000);
  if (seconds < 99.5) return absl::StrFormat("%.2f s", seconds);
  const int64_t whole = absl::ToInt64Seconds(time);
  return absl::StrFormat("%d m %02d s", whole / 60, whole % 60);
}

}  // namespace varve
