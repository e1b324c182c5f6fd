// SPDX-License-Identifier: Apache-2.0

// Numbers for people.

#ifndef VARVE_TOOLS_SHELL_HUMAN_UNITS_H_
#define VARVE_TOOLS_SHELL_HUMAN_UNITS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace varve {

// "1,234,567".
std::string HumanCount(int64_t count);

// "1 record", "1,234 records": `noun` with an s, unless there is one.
std::string CountOf(int64_t count, std::string_view noun);

// "812 B", "4.1 kB", "27.0 MB", "1.3 GB": thousands, not 1024s.
std::string HumanBytes(int64_t bytes);

// A rate per second: "1.2 M", "830 k", "95". Nothing is faster than 1 ns.
std::string HumanRate(int64_t count, absl::Duration time);

// "0.83 s", "2 m 05 s", "12 ms".
std::string HumanTime(absl::Duration time);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_HUMAN_UNITS_H_
