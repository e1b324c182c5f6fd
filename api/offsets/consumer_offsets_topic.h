// SPDX-License-Identifier: Apache-2.0

// The topic in which Kafka, and varve, keep the offsets that groups commit.

#ifndef VARVE_API_OFFSETS_CONSUMER_OFFSETS_TOPIC_H_
#define VARVE_API_OFFSETS_CONSUMER_OFFSETS_TOPIC_H_

#include <cstdint>
#include <string_view>

#include "varve/api/topic_config.h"
#include "varve/log/metadata/topic_name.h"

namespace varve {

inline constexpr std::string_view kConsumerOffsetsTopic = "__consumer_offsets";

// Whether the topic is the store's own: programs read it, and neither create
// it nor append to it.
inline bool IsInternalTopic(std::string_view topic) {
  return IsInternalTopicName(topic);
}

// The config with which it is created: compacted, with small segments, so that
// commits again and again take little disk, and an open reads little.
TopicConfig ConsumerOffsetsConfig(int32_t partitions);

}  // namespace varve

#endif  // VARVE_API_OFFSETS_CONSUMER_OFFSETS_TOPIC_H_
