// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/read_errors.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varve {

absl::Status OffsetOutOfRange(std::string_view path, int64_t offset,
                              int64_t log_start, std::optional<int64_t> end) {
  std::string text =
      absl::StrCat(path, ": offset ", offset,
                   " is out of range: the log starts at ", log_start);
  if (end.has_value()) absl::StrAppend(&text, " and ends before ", *end);
  return absl::OutOfRangeError(text);
}

std::string NextReadableText(int64_t next_offset) {
  return absl::StrCat("; the next readable offset is ", next_offset);
}

}  // namespace varve
