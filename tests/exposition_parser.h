// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_EXPOSITION_PARSER_H_
#define VARVE_TESTS_EXPOSITION_PARSER_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace varve {

// One sample of an exposition: `name{labels} value`.
struct ExposedSample {
  std::string name;
  std::map<std::string, std::string> labels;
  std::string value;  // as written
  double number = 0;
};

// A family of metrics, its samples in the order of the text.
struct ExposedFamily {
  std::string name;
  std::string type;
  std::string help;
  std::vector<ExposedSample> samples;
};

// Reads Prometheus' text format 0.0.4, and refuses what its parser, or
// `promtool check metrics`, would complain of: a family without or with two
// HELP or TYPE lines, or in two places; names, labels and escapes that are not
// well-formed; a label or sample given twice; a counter without `_total`, or
// below 0; a histogram whose buckets do not ascend, do not accumulate, have no
// +Inf, or whose count is another.
//
// Errors: InvalidArgument with the line's number.
absl::StatusOr<std::vector<ExposedFamily>> ParseExposition(
    std::string_view text);

}  // namespace varve

#endif  // VARVE_TESTS_EXPOSITION_PARSER_H_
