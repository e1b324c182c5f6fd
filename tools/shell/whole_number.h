// SPDX-License-Identifier: Apache-2.0

// Numbers of a command line: decimal digits, and nothing that another program
// would read as another number. Every option that takes one is added by a
// function below, never by CLI::App::add_option, for which 010 is 8.

#ifndef VARVE_TOOLS_SHELL_WHOLE_NUMBER_H_
#define VARVE_TOOLS_SHELL_WHOLE_NUMBER_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace varve {

// Decimal digits, with a '-' in front of them at most; leading zeros mean
// nothing. Errors: InvalidArgument, without the option's name.
absl::StatusOr<int64_t> ParseWholeNumber(
    std::string_view text, int64_t min = std::numeric_limits<int64_t>::min(),
    int64_t max = std::numeric_limits<int64_t>::max());

struct DurationRange {
  absl::Duration min;
  absl::Duration max;
};

// Seconds in decimal digits, with a '.' between them at most. Errors: those of
// ParseWholeNumber.
absl::StatusOr<absl::Duration> ParseSeconds(std::string_view text,
                                            const DurationRange& range);

// Adds an option that takes a whole number from `min` to `max`.
CLI::Option* AddWholeNumber(CLI::App& app, const std::string& name, int64_t min,
                            int64_t max, std::function<void(int64_t)> set,
                            const std::string& description);

CLI::Option* AddSeconds(CLI::App& app, const std::string& name,
                        const DurationRange& range,
                        std::function<void(absl::Duration)> set,
                        const std::string& description);

// Adds an option that takes a number of 32 bits: a partition, or a number of
// them. The store's error says which of them there are.
CLI::Option* AddNumber32(CLI::App& app, const std::string& name,
                         std::function<void(int32_t)> set,
                         const std::string& description);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_WHOLE_NUMBER_H_
