// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPIC_CREATION_H_
#define VARVE_API_TOPIC_CREATION_H_

#include "absl/status/status.h"
#include "api/topic_catalog.h"
#include "log/file_system.h"

namespace varve {

// Makes the empty partition directories of a topic that is not in the catalog
// yet, each with its partition.metadata. Durable on return; the topic exists
// only once the catalog that lists it is written. What an earlier creation
// left when it was cut short is used again.
//
// Errors: AlreadyExists when one of the directories holds records: they belong
// to no topic, and are not touched. Those of the files; what was made is
// removed again.
absl::Status CreatePartitionDirectories(Directory& data, const Topic& topic);

}  // namespace varve

#endif  // VARVE_API_TOPIC_CREATION_H_
