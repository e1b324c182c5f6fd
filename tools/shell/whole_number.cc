// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/whole_number.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace varve {
namespace {

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}

bool AreDigits(std::string_view text) {
  return !text.empty() && absl::c_all_of(text, IsDigit);
}

}  // namespace

absl::StatusOr<int64_t> ParseWholeNumber(std::string_view text, int64_t min,
                                         int64_t max) {
  int64_t number = 0;
  if (AreDigits(absl::StripPrefix(text, "-")) &&
      absl::SimpleAtoi(text, &number) && number >= min && number <= max) {
    return number;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" is not a whole number from ", min, " to ", max));
}

absl::StatusOr<absl::Duration> ParseSeconds(std::string_view text,
                                            const DurationRange& range) {
  double seconds = 0;
  const bool is_plain =
      absl::c_all_of(text, [](char c) { return IsDigit(c) || c == '.'; });
  // Digits alone are never NaN; too many of them are infinite, and too much.
  if (is_plain && absl::SimpleAtod(text, &seconds)) {
    const absl::Duration duration = absl::Seconds(seconds);
    if (duration >= range.min && duration <= range.max) return duration;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is not a number of seconds from ",
                   absl::ToDoubleSeconds(range.min), " to ",
                   absl::ToDoubleSeconds(range.max)));
}

CLI::Option* AddWholeNumber(CLI::App& app, const std::string& name, int64_t min,
                            int64_t max, std::function<void(int64_t)> set,
                            const std::string& description) {
  return app
      .add_option_function<std::string>(
          name,
          [name, min, max, set = std::move(set)](const std::string& text) {
            const absl::StatusOr<int64_t> number =
                ParseWholeNumber(text, min, max);
            if (!number.ok()) {
              throw CLI::ValidationError(
                  name, std::string(number.status().message()));
            }
            set(*number);
          },
          description)
      ->type_name("N");
}

CLI::Option* AddSeconds(CLI::App& app, const std::string& name,
                        const DurationRange& range,
                        std::function<void(absl::Duration)> set,
                        const std::string& description) {
  return app
      .add_option_function<std::string>(
          name,
          [name, range, set = std::move(set)](const std::string& text) {
            const absl::StatusOr<absl::Duration> time =
                ParseSeconds(text, range);
            if (!time.ok()) {
              throw CLI::ValidationError(name,
                                         std::string(time.status().message()));
            }
            set(*time);
          },
          description)
      ->type_name("SECONDS");
}

CLI::Option* AddNumber32(CLI::App& app, const std::string& name,
                         std::function<void(int32_t)> set,
                         const std::string& description) {
  return AddWholeNumber(
      app, name, std::numeric_limits<int32_t>::min(),
      std::numeric_limits<int32_t>::max(),
      [set = std::move(set)](int64_t number) {
        set(static_cast<int32_t>(number));
      },
      description);
}

}  // namespace varve
