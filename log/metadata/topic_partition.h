// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_TOPIC_PARTITION_H_
#define VARVE_LOG_METADATA_TOPIC_PARTITION_H_

#include <compare>
#include <cstdint>
#include <string>

namespace varve {

// One partition of a topic, by name. Ordered by topic, then by number.
struct TopicPartition {
  std::string topic;
  int32_t partition = 0;

  friend auto operator<=>(const TopicPartition&,
                          const TopicPartition&) = default;
};

}  // namespace varve

#endif  // VARVE_LOG_METADATA_TOPIC_PARTITION_H_
