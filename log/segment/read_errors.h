// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_READ_ERRORS_H_
#define VARVE_LOG_SEGMENT_READ_ERRORS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace varve {

// What reads of a log say about offsets that they cannot return.
//
// Thread safety: thread-safe.

// The error OutOfRange, with the bounds of the log at `path`; without `end`
// where only the start matters.
absl::Status OffsetOutOfRange(std::string_view path, int64_t offset,
                              int64_t log_start,
                              std::optional<int64_t> end = std::nullopt);

// The error DataLoss: `text`, and where reads can go on, if that is known, in
// words and as a value (log/metadata/next_readable_offset.h).
absl::Status DamagedRead(std::string_view text,
                         std::optional<int64_t> next_offset);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_READ_ERRORS_H_
