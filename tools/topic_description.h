// SPDX-License-Identifier: Apache-2.0

// What `varve topics describe` says of a topic.

#ifndef VARVE_TOOLS_TOPIC_DESCRIPTION_H_
#define VARVE_TOOLS_TOPIC_DESCRIPTION_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/read_only_store.h"
#include "api/topic_description.h"
#include "log/partition_stats.h"
#include "tools/record_json.h"

namespace varve {

struct TopicDetails {
  TopicDescription topic;
  std::vector<PartitionStats> partitions;
};

// Looks at every partition of the topic. Errors: those of the store.
absl::StatusOr<TopicDetails> DescribeTopic(const ReadOnlyStore& store,
                                           std::string_view name);

enum class ConfigsShown { kNonDefault, kAll };

std::string ToText(const TopicDetails& details, ConfigsShown shown);
Json ToJson(const TopicDetails& details, ConfigsShown shown);

}  // namespace varve

#endif  // VARVE_TOOLS_TOPIC_DESCRIPTION_H_
