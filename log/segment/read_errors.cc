// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/read_errors.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/next_readable_offset.h"

namespace varve {

absl::Status OffsetOutOfRange(std::string_view path, int64_t offset,
                              int64_t log_start, std::optional<int64_t> end) {
  std::string text =
      absl::StrCat(path, ": offset ", offset,
                   " is out of range: the log starts at ", log_start);
  if (end.has_value()) absl::StrAppend(&text, " and ends before ", *end);
  return absl::OutOfRangeError(text);
}

absl::Status DamagedRead(std::string_view text,
                         std::optional<int64_t> next_offset) {
  if (!next_offset.has_value()) return absl::DataLossError(text);
  absl::Status status = absl::DataLossError(
      absl::StrCat(text, "; the next readable offset is ", *next_offset));
  SetNextReadableOffset(*next_offset, status);
  return status;
}

}  // namespace varve
