// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/open_topic_partition.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "varve/api/catalog/stored_catalog.h"
#include "varve/api/store/store_state.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/partition_log.h"

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
    // Ids are not used again: it was the same topic all the time.
    if (catalog.IdOf(topic) == id)
      return TopicPartitionLog{.topic_id = id, .log = *std::move(log)};
  }
}

}  // namespace varve
