// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_OPEN_TOPIC_PARTITION_H_
#define VARVE_API_STORE_OPEN_TOPIC_PARTITION_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/api/store/store_state.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

// A partition, and the id of its topic: a topic may be deleted at any time, and
// another one get its name.
struct TopicPartitionLog {
  TopicId topic_id;
  std::shared_ptr<PartitionLog> log;
};

// Errors: those of StoreState::OpenPartition.
absl::StatusOr<TopicPartitionLog> OpenTopicPartition(StoreState& store,
                                                     std::string_view topic,
                                                     int32_t partition);

}  // namespace varve

#endif  // VARVE_API_STORE_OPEN_TOPIC_PARTITION_H_
