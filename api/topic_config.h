// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPIC_CONFIG_H_
#define VARVE_API_TOPIC_CONFIG_H_

#include <cstdint>

#include "absl/status/status.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// How a topic is laid out and kept.
//
//   store->CreateTopic("orders", {.partitions = 4});
struct TopicConfig {
  // More: more appends at a time; each costs files and descriptors. Records of
  // one key keep their order, since they go to one partition. Range: 1 to
  // kPartitionsMax. Default: 1.
  int32_t partitions = 1;

  // The configs with Kafka's names (`segment.bytes`, `retention.ms`, …), typed,
  // with their ranges and defaults, and which of them have an effect so far:
  // log/metadata/log_config.h. `log.Set(name, value)` takes them as text.
  LogConfig log = {};

  // Partitions of one topic, at most.
  static constexpr int32_t kPartitionsMax = 100'000;

  // Errors: InvalidArgument with the name, the value and what it may be.
  absl::Status Validate() const;

  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

}  // namespace varve

#endif  // VARVE_API_TOPIC_CONFIG_H_
