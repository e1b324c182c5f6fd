// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/offset_spec.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "varve/api/read_bounds.h"
#include "varve/api/topic_description.h"
#include "varve/tools/shell/time_spec.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {

absl::StatusOr<OffsetSpec> OffsetSpec::Parse(std::string_view text,
                                             absl::Time now) {
  OffsetSpec spec;
  std::string_view rest = text;
  if (text == "earliest" || text == "beginning") return spec;
  if (text == "latest" || text == "end") {
    spec.kind_ = Kind::kLatest;
    return spec;
  }
  if (absl::ConsumePrefix(&rest, "@")) {
    absl::StatusOr<absl::Time> time = ParseTimeSpec(rest, now);
    if (!time.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(text, ": ", time.status().message()));
    }
    spec.kind_ = Kind::kTime;
    spec.time_ = *time;
    return spec;
  }
  // The smallest number has no positive counterpart.
  const absl::StatusOr<int64_t> number =
      ParseWholeNumber(text, -std::numeric_limits<int64_t>::max());
  if (!number.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        text, ": neither a number, nor earliest or latest, nor @ and a time"));
  }
  spec.number_ = *number;
  spec.kind_ = absl::StartsWith(text, "-") ? Kind::kFromEnd : Kind::kNumber;
  return spec;
}

int64_t OffsetSpec::Within(const ReadBounds& bounds) const {
  switch (kind_) {
    case Kind::kNumber:
      return number_;
    case Kind::kLatest:
      return bounds.readable_end;
    case Kind::kFromEnd:
      // One is 0 or more and the other 0 or less, so nothing overflows.
      return std::max(bounds.log_start, bounds.readable_end + number_);
    default:
      return bounds.log_start;
  }
}

absl::Status OffsetSpec::CheckPartition(
    const TopicDescription& topic, std::optional<int32_t> partition) const {
  if (kind_ != Kind::kNumber || partition.has_value() ||
      topic.partition_numbers().size() == 1) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(number_, " is an offset, and ", topic.name, " has ",
                   topic.partition_numbers().size(),
                   " partitions, each with offsets of its own"));
}

}  // namespace varve
