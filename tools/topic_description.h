// SPDX-License-Identifier: Apache-2.0

// What `varve topics describe` says of a topic.

#ifndef VARVE_TOOLS_TOPIC_DESCRIPTION_H_
#define VARVE_TOOLS_TOPIC_DESCRIPTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/log_store.h"
#include "tools/record_json.h"

namespace varve {

struct PartitionDetails {
  int64_t log_start = 0;
  int64_t durable_end = 0;
  int64_t visible_end = 0;
  int64_t segment_count = 0;
  int64_t disk_bytes = 0;  // blocks of its files
};

struct TopicDetails {
  TopicDescription topic;
  std::vector<PartitionDetails> partitions;
};

// Opens every partition of the topic. Errors: those of LogStore.
absl::StatusOr<TopicDetails> DescribeTopic(LogStore& store,
                                           std::string_view name);

enum class ConfigsShown { kNonDefault, kAll };

std::string ToText(const TopicDetails& details, ConfigsShown shown);
Json ToJson(const TopicDetails& details, ConfigsShown shown);

}  // namespace varve

#endif  // VARVE_TOOLS_TOPIC_DESCRIPTION_H_
