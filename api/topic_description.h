// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPIC_DESCRIPTION_H_
#define VARVE_API_TOPIC_DESCRIPTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "varve/api/topic_config.h"
#include "varve/log/metadata/hosted_partitions.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

// A topic, as its store has it.
struct TopicDescription {
  std::string name;
  TopicId id;
  // In a broker's directory, which does not say what the configs are, all but
  // the partitions are the defaults.
  TopicConfig config;
  HostedPartitions hosted = {};

  // The numbers of the partitions that are there: in a store all from 0 up.
  std::vector<int32_t> partition_numbers() const;

  // Whether it is the store's own: __consumer_offsets, which keeps the offsets
  // that groups commit.
  bool is_internal() const;
};

}  // namespace varve

#endif  // VARVE_API_TOPIC_DESCRIPTION_H_
