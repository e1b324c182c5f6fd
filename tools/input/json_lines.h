// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_INPUT_JSON_LINES_H_
#define VARVE_TOOLS_INPUT_JSON_LINES_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "varve/log/batch/record.h"
#include "varve/tools/input/line_parser.h"

namespace varve {

// A line is a JSON object, as `varve consume --json` prints a record, its
// fields in any order:
//
//   value       a string, or null for a tombstone
//   key         a string or null; null if it is left out
//   headers     [{"name": string, "value": string or null}, …], in their order
//   timestamp   milliseconds since 1970; null or a negative number: the record
//               has no time. Left out: the time of the append
//   partition   where the record was; the caller may put it there again
//   topic, offset   where it was; they mean nothing here
//
// Bytes that are no UTF-8 stand as base64 under value_base64, key_base64,
// name_base64. Whatever else is in the object is an error: a misspelt "value"
// would make a tombstone, which deletes.
//
// Thread safety: externally synchronized.
class JsonLines : public LineParser {
 public:
  // What a line takes for each byte of its record, at most: {"name":"",
  // "value":null}, is a header of two bytes.
  static constexpr int64_t kBytesPerRecordByte = 13;

  // Errors: InvalidArgument for what is no such object.
  absl::StatusOr<InputRecord> Parse(std::string_view line) override;

 private:
  // What an object has under a name, or that name with _base64.
  struct Field {
    bool is_there = false;
    std::optional<std::string_view> bytes = std::nullopt;
  };

  absl::Status ParseObject(std::string_view line);
  absl::StatusOr<Field> FieldOf(const nlohmann::json& object,
                                const std::string& name);
  absl::Status AddHeader(const nlohmann::json& header);
  absl::Status AddHeaders();

  // Sorted: to parse many fields in the order of the line takes quadratic time.
  nlohmann::json object_;
  std::deque<std::string> decoded_;  // what was base64; elements stay in place
  std::vector<Header> headers_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_INPUT_JSON_LINES_H_
