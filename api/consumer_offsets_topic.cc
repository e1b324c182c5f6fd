// SPDX-License-Identifier: Apache-2.0

#include "varve/api/consumer_offsets_topic.h"

#include <cstdint>

#include "varve/api/topic_config.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

// Kafka's offsets.topic.num.partitions and offsets.topic.segment.bytes.
constexpr int32_t kPartitionCount = 50;
constexpr int64_t kSegmentBytes = 104857600;

}  // namespace

TopicConfig ConsumerOffsetsConfig() {
  TopicConfig config = {.partitions = kPartitionCount};
  config.log.segment_bytes = kSegmentBytes;
  config.log.cleanup_policy = CleanupPolicy::kCompact;
  return config;
}

}  // namespace varve
