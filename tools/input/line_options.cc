// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/input/line_options.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/tools/input/json_lines.h"
#include "varve/tools/input/line_parser.h"
#include "varve/tools/input/plain_lines.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/escape_sequences.h"
#include "varve/tools/shell/time_spec.h"

namespace varve {
namespace {

absl::StatusOr<std::string> SeparatorOf(const std::string& text) {
  absl::StatusOr<std::string> separator = DecodeEscapes(text);
  if (separator.ok() && !separator->empty()) return separator;
  return absl::InvalidArgumentError(absl::StrCat(
      "--key-separator: ",
      separator.ok() ? "it is empty" : separator.status().message()));
}

absl::StatusOr<PlainLines::NamedValue> HeaderOf(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals != text.npos && equals > 0) {
    return PlainLines::NamedValue{.name = text.substr(0, equals),
                                  .value = text.substr(equals + 1)};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--header ", text,
                   equals == 0 ? ": its name is empty" : ": no \"=\" in it",
                   "; write NAME=VALUE"));
}

absl::StatusOr<int64_t> TimestampOf(std::string_view text, absl::Time now) {
  const absl::StatusOr<absl::Time> time =
      ParseTimeSpec(absl::StripPrefix(text, "@"), now);
  absl::StatusOr<int64_t> timestamp_ms =
      time.ok() ? TimestampMs(*time) : time.status();
  if (timestamp_ms.ok()) return timestamp_ms;
  return absl::InvalidArgumentError(absl::StrCat(
      "--timestamp ", text, ": ", timestamp_ms.status().message()));
}

absl::StatusOr<std::unique_ptr<LineParser>> MakePlainLines(
    const LineOptions& options, absl::Time now) {
  PlainLines::Options plain = {.null_text = options.null_text};
  if (options.key_separator.has_value()) {
    absl::StatusOr<std::string> separator = SeparatorOf(*options.key_separator);
    if (!separator.ok()) return separator.status();
    plain.key_separator = *std::move(separator);
  }
  for (const std::string& text : options.headers) {
    absl::StatusOr<PlainLines::NamedValue> header = HeaderOf(text);
    if (!header.ok()) return header.status();
    plain.headers.push_back(*std::move(header));
  }
  if (options.timestamp.has_value()) {
    const absl::StatusOr<int64_t> timestamp_ms =
        TimestampOf(*options.timestamp, now);
    if (!timestamp_ms.ok()) return timestamp_ms.status();
    plain.timestamp_ms = *timestamp_ms;
  }
  return std::make_unique<PlainLines>(std::move(plain));
}

}  // namespace

void AddLineOptions(CLI::App& command, LineOptions& options) {
  command
      .add_option("--key-separator", options.key_separator,
                  "a line is key, separator, value; a key's partition is the "
                  "one that Kafka's producer chooses; \\t is a tab")
      ->type_name("TEXT");
  command
      .add_option(
          "--null", options.null_text,
          "a key or value that is this text is null; \"\": an empty one")
      ->type_name("TEXT");
  command
      .add_option("--header", options.headers,
                  "a header of every record; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      .add_option("--timestamp", options.timestamp,
                  "the time of every record: 2026-11-20T10:00:00Z, 2026-11-20, "
                  "-1h ago, or milliseconds since 1970 (that of the append)")
      ->type_name("TIME");
}

absl::StatusOr<std::unique_ptr<LineParser>> MakeLineParser(
    const GlobalOptions& global, const LineOptions& options, absl::Time now) {
  if (!global.json) return MakePlainLines(options, now);
  const std::pair<std::string_view, bool> of_plain_lines[] = {
      {"--key-separator", options.key_separator.has_value()},
      {"--null", options.null_text.has_value()},
      {"--header", !options.headers.empty()},
      {"--timestamp", options.timestamp.has_value()}};
  for (const auto& [option, is_given] : of_plain_lines) {
    if (!is_given) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        option, ": not with --json, where each line says it itself"));
  }
  return std::make_unique<JsonLines>();
}

int64_t LineSizeMax(const GlobalOptions& global, int64_t batch_size_max) {
  constexpr int64_t kFieldsMax = int64_t{64} << 10;
  return global.json
             ? JsonLines::kBytesPerRecordByte * batch_size_max + kFieldsMax
             : batch_size_max;
}

}  // namespace varve
