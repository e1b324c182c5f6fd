// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_INPUT_PLAIN_LINES_H_
#define VARVE_TOOLS_INPUT_PLAIN_LINES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/log/batch/record.h"
#include "varve/tools/input/line_parser.h"

namespace varve {

// A line is a value, or a key, a separator and a value; every record gets the
// same headers and, if one is given, the same time.
//
// Thread safety: externally synchronized.
class PlainLines : public LineParser {
 public:
  struct NamedValue {
    std::string name;
    std::string value;
  };

  struct Options {
    // Not empty. It ends the key where it stands first; nothing: no keys.
    std::optional<std::string> key_separator = std::nullopt;
    // A key, a value or a header's value that is this text is null.
    std::optional<std::string> null_text = std::nullopt;
    std::vector<NamedValue> headers = {};
    std::optional<int64_t> timestamp_ms = std::nullopt;
  };

  explicit PlainLines(Options options);
  PlainLines(const PlainLines&) = delete;
  PlainLines& operator=(const PlainLines&) = delete;

  // Errors: InvalidArgument for a line without the separator.
  absl::StatusOr<InputRecord> Parse(std::string_view line) override;

 private:
  std::optional<std::string_view> NullOr(std::string_view text) const;

  const Options options_;
  std::vector<Header> headers_;  // they point into `options_`
};

}  // namespace varve

#endif  // VARVE_TOOLS_INPUT_PLAIN_LINES_H_
