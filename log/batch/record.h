// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_RECORD_H_
#define VARVE_LOG_BATCH_RECORD_H_

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace varve {

// A header of a record. Keys may repeat and keep their order; the value may be
// absent (null), which differs from empty.
struct Header {
  std::string_view key = {};
  std::optional<std::string_view> value = std::nullopt;

  friend bool operator==(const Header&, const Header&) = default;
};

// A record to append. It owns nothing: what it points at must stay alive and
// unchanged until the call that takes it returns. So fill it in the call:
//
//   partition.Append({.key = absl::StrCat(id), .value = text});
//
// A named Record with temporaries in it dangles.
//
// An absent key or value is Kafka's null, which differs from empty; a null
// value is a tombstone in a compacted topic. A `const char*` must not be null.
struct Record {
  std::optional<std::string_view> key = std::nullopt;
  std::optional<std::string_view> value = std::nullopt;
  absl::Span<const Header> headers = {};
  // When the event happened; kept to the millisecond, at or after the Unix
  // epoch. Default: the time of the append.
  std::optional<absl::Time> timestamp = std::nullopt;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_RECORD_H_
