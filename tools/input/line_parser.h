// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_INPUT_LINE_PARSER_H_
#define VARVE_TOOLS_INPUT_LINE_PARSER_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/log/batch/record.h"

namespace varve {

// A record to append, as a line of input has it.
struct InputRecord {
  // Its own timestamp is not set.
  Record record = {};
  // In milliseconds since 1970, or -1 for a record without a time; nothing: the
  // time of the append.
  std::optional<int64_t> timestamp_ms = std::nullopt;
  // The partition that it was read from, if the line says so.
  std::optional<int32_t> partition = std::nullopt;
};

// Makes records of lines.
//
// Thread safety: externally synchronized.
class LineParser {
 public:
  virtual ~LineParser() = default;

  // The record of `line`. It points into the line and into this, until the next
  // call.
  //
  // Errors: InvalidArgument that says what is wrong with the line.
  virtual absl::StatusOr<InputRecord> Parse(std::string_view line) = 0;
};

}  // namespace varve

#endif  // VARVE_TOOLS_INPUT_LINE_PARSER_H_
