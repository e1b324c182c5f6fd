// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/consumer_offsets_topic.h"

#include <cstdint>

#include "varve/api/topic_config.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

// Less than Kafka's 100 MiB (offsets.topic.segment.bytes): only sealed segments
// are compacted, and a store that is opened reads all of them.
constexpr int64_t kSegmentBytes = int64_t{1} << 20;

}  // namespace

TopicConfig ConsumerOffsetsConfig(int32_t partitions) {
  TopicConfig config = {.partitions = partitions};
  config.log.segment_bytes = kSegmentBytes;
  config.log.cleanup_policy = CleanupPolicy::kCompact;
  return config;
}

}  // namespace varve
