// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPICS_TOPIC_CREATION_H_
#define VARVE_API_TOPICS_TOPIC_CREATION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Makes the empty directories of the topic's partitions from `first` up, each
// with its partition.metadata. Durable on return; the partitions exist only
// once the catalog that lists them is written. What an earlier creation left
// when it was cut short is used again.
//
// Errors: AlreadyExists when one of the directories holds records: they belong
// to no topic, and are not touched. File errors (log/system/errno_status.h);
// what was made is removed again.
absl::Status CreatePartitionDirectories(Directory& data, const Topic& topic,
                                        int32_t first = 0);

// Removes the directories again, of partitions that no catalog lists. What
// cannot be removed is left for the next creation to use.
void RemovePartitionDirectories(Directory& data, const Topic& topic,
                                int32_t first = 0);

}  // namespace varve

#endif  // VARVE_API_TOPICS_TOPIC_CREATION_H_
