// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/topic_target.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {

absl::StatusOr<TopicTarget> ParseTopicTarget(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return TopicTarget{.topic = std::string(text)};
  const absl::StatusOr<int64_t> partition = ParseWholeNumber(
      text.substr(colon + 1), 0, std::numeric_limits<int32_t>::max());
  if (!partition.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\": say TOPIC, or TOPIC:PARTITION with the "
                     "number of a partition"));
  }
  return TopicTarget{.topic = std::string(text.substr(0, colon)),
                     .partition = static_cast<int32_t>(*partition)};
}

}  // namespace varve
