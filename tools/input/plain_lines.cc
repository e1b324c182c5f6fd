// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/input/plain_lines.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record.h"
#include "varve/tools/input/line_parser.h"

namespace varve {

PlainLines::PlainLines(Options options) : options_(std::move(options)) {
  for (const NamedValue& header : options_.headers) {
    headers_.push_back({.key = header.name, .value = NullOr(header.value)});
  }
}

std::optional<std::string_view> PlainLines::NullOr(
    std::string_view text) const {
  if (options_.null_text == text) return std::nullopt;
  return text;
}

absl::StatusOr<InputRecord> PlainLines::Parse(std::string_view line) {
  InputRecord parsed = {.timestamp_ms = options_.timestamp_ms};
  parsed.record.headers = headers_;
  if (options_.key_separator.has_value()) {
    const std::string& separator = *options_.key_separator;
    const size_t at = line.find(separator);
    if (at == line.npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("the key separator \"", separator, "\" is not in it"));
    }
    parsed.record.key = NullOr(line.substr(0, at));
    line.remove_prefix(at + separator.size());
  }
  parsed.record.value = NullOr(line);
  return parsed;
}

}  // namespace varve
