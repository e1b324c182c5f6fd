// SPDX-License-Identifier: Apache-2.0

// The output of `varve topics describe` for a topic.

#ifndef VARVE_TOOLS_COMMAND_TOPIC_DETAILS_H_
#define VARVE_TOOLS_COMMAND_TOPIC_DETAILS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/read_only_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/tools/shell/record_json.h"

namespace varve {

struct TopicDetails {
  TopicDescription topic;
  std::vector<PartitionStats> partitions;
};

// Looks at every partition of the topic. Errors: those of ReadOnlyStore and
// ReadOnlyPartition.
absl::StatusOr<TopicDetails> DescribeTopic(const ReadOnlyStore& store,
                                           std::string_view name);

enum class ConfigsShown { kNonDefault, kAll };

std::string ToText(const TopicDetails& details, ConfigsShown shown);
Json ToJson(const TopicDetails& details, ConfigsShown shown);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_TOPIC_DETAILS_H_
