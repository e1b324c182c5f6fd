// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_TOPIC_TARGET_H_
#define VARVE_TOOLS_SHELL_TOPIC_TARGET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

// A topic, or one of its partitions: TOPIC or TOPIC:PARTITION.
struct TopicTarget {
  std::string topic;
  std::optional<int32_t> partition = std::nullopt;
};

// Errors: InvalidArgument.
absl::StatusOr<TopicTarget> ParseTopicTarget(std::string_view text);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_TOPIC_TARGET_H_
