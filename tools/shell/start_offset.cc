// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/start_offset.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "varve/api/read_only_partition.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now) {
  absl::Time time = absl::InfinitePast();
  std::string reason;
  if (absl::StartsWith(text, "-")) {
    absl::Duration ago;
    if (absl::ParseDuration(text, &ago)) time = now + ago;
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &time, &reason)) {
    time = absl::InfinitePast();
  }
  // The parsers accept infinities by name, and return one for a value out of
  // range.
  if (time != absl::InfinitePast() && time != absl::InfiniteFuture())
    return time;
  return absl::InvalidArgumentError(absl::StrCat(
      "--offset @", text,
      ": neither a time like 2026-11-20T10:00:00Z nor one ago like -1h30m"));
}

}  // namespace

absl::StatusOr<StartOffset> StartOffset::Parse(std::string_view text,
                                               absl::Time now) {
  StartOffset start;
  std::string_view rest = text;
  if (text == "earliest") return start;
  if (text == "latest") {
    start.kind_ = Kind::kLatest;
    return start;
  }
  if (absl::ConsumePrefix(&rest, "@")) {
    absl::StatusOr<absl::Time> time = ParseTime(rest, now);
    if (!time.ok()) return time.status();
    start.kind_ = Kind::kTime;
    start.time_ = *time;
    return start;
  }
  // The smallest number has no positive counterpart.
  const absl::StatusOr<int64_t> number =
      ParseWholeNumber(text, -std::numeric_limits<int64_t>::max());
  if (!number.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--offset ", text,
                     ": neither a number, nor earliest or latest, nor @ and a "
                     "time"));
  }
  start.number_ = *number;
  start.kind_ = absl::StartsWith(text, "-") ? Kind::kFromEnd : Kind::kNumber;
  return start;
}

absl::StatusOr<int64_t> StartOffset::FindIn(
    const ReadOnlyPartition& partition) const {
  if (kind_ == Kind::kNumber) return number_;
  if (kind_ == Kind::kTime) return partition.OffsetForTime(time_);
  absl::StatusOr<LogBounds> bounds = partition.Bounds();
  if (!bounds.ok()) return bounds.status();
  switch (kind_) {
    case Kind::kLatest:
      return bounds->visible_end;
    case Kind::kFromEnd:
      // Both are 0 or more, so nothing overflows.
      return std::max(bounds->log_start, bounds->visible_end + number_);
    default:
      return bounds->log_start;
  }
}

}  // namespace varve
