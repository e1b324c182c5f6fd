// SPDX-License-Identifier: Apache-2.0

#include "api/open_topic_partition.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "api/store_state.h"
#include "api/stored_catalog.h"
#include "log/partition_log.h"
#include "log/topic_id.h"

namespace varve {

absl::StatusOr<TopicPartitionLog> OpenTopicPartition(StoreState& store,
                                                     std::string_view topic,
                                                     int32_t partition) {
  const StoredCatalog& catalog = store.topics().catalog();
  while (true) {
    const TopicId id = catalog.IdOf(topic);
    absl::StatusOr<std::shared_ptr<PartitionLog>> log =
        store.OpenPartition(topic, partition);
    if (!log.ok()) return log.status();
    // No id comes back: it was that topic all the time.
    if (catalog.IdOf(topic) == id)
      return TopicPartitionLog{.topic_id = id, .log = *std::move(log)};
  }
}

}  // namespace varve
