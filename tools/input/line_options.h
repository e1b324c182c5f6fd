// SPDX-License-Identifier: Apache-2.0

// The options of `varve produce` that say what record a line is.

#ifndef VARVE_TOOLS_INPUT_LINE_OPTIONS_H_
#define VARVE_TOOLS_INPUT_LINE_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/tools/input/line_parser.h"
#include "varve/tools/shell/command_line.h"

namespace varve {

// As they were typed; all but `--json` are of plain lines.
struct LineOptions {
  std::optional<std::string> key_separator = std::nullopt;
  std::optional<std::string> null_text = std::nullopt;
  std::vector<std::string> headers = {};  // "name=value"
  std::optional<std::string> timestamp = std::nullopt;
};

// `options` must outlive the parsing.
void AddLineOptions(CLI::App& command, LineOptions& options);

// What makes records of lines: JSON with `--json`, plain text without.
//
// Errors: InvalidArgument for options that make no sense, with the option.
absl::StatusOr<std::unique_ptr<LineParser>> MakeLineParser(
    const GlobalOptions& global, const LineOptions& options, absl::Time now);

// Bytes of a line, at most, whose record fits a batch of `batch_size_max`.
int64_t LineSizeMax(const GlobalOptions& global, int64_t batch_size_max);

}  // namespace varve

#endif  // VARVE_TOOLS_INPUT_LINE_OPTIONS_H_
