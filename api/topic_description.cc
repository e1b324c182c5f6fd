// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topic_description.h"

#include <cstdint>
#include <vector>

#include "varve/log/metadata/topic_name.h"

namespace varve {

std::vector<int32_t> TopicDescription::partition_numbers() const {
  return hosted.NumbersOf(config.partitions);
}

bool TopicDescription::is_internal() const { return IsInternalTopicName(name); }

}  // namespace varve
