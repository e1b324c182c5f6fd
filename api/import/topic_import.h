// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_IMPORT_TOPIC_IMPORT_H_
#define VARVE_API_IMPORT_TOPIC_IMPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/import/import_report.h"
#include "varve/api/import/import_source.h"
#include "varve/log/import/partition_import.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The partitions of a topic that were imported into directories which no
// catalog lists yet.
struct TopicFiles {
  StoreCheckpoint bounds = {};
  Continuity continuity = Continuity::kExact;
  std::vector<ImportedPartition> partitions = {};
  std::vector<std::string> damage = {};
};

// Copies the partitions of the topic to directories of their names in `data`,
// the directory of the store. What an interrupted call has left is used.
// `progress` may be null.
//
// Errors: AlreadyExists when a directory holds another topic's records; those
// of ImportPartition.
absl::StatusOr<TopicFiles> ImportTopicFiles(
    const ImportSource& source, const Topic& topic, Directory& data,
    const std::function<void(int64_t bytes)>& progress);

// Removes what tells how far the import of the topic has come. Errors: file
// errors (log/system/errno_status.h).
absl::Status ForgetProgress(const Topic& topic, Directory& data);

// The bytes of the topic's segments, and of those that are still to be copied.
// Errors: file errors.
absl::StatusOr<ImportSize> MeasureTopic(const ImportSource& source,
                                        const Topic& topic, Directory& data);

}  // namespace varve

#endif  // VARVE_API_IMPORT_TOPIC_IMPORT_H_
