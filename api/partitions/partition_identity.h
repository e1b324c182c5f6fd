// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_PARTITION_IDENTITY_H_
#define VARVE_API_PARTITIONS_PARTITION_IDENTITY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The id of the topic that a partition's directory belongs to, as its
// partition.metadata says.
//
// Errors: NotFound without that file; DataLoss when it is damaged.
absl::StatusOr<TopicId> ReadTopicId(Directory& directory);

// Checks, by its partition.metadata, that a partition's directory has not
// changed places with that of another topic. `name_of` gives the name of the
// topic with an id, or nothing.
//
// Errors: DataLoss when the file names another topic of this store. A file that
// is lost, damaged, or of an id that no topic has, says nothing about that: it
// is added to `note`.
absl::Status CheckPartitionIdentity(
    Directory& directory, const Topic& topic,
    absl::FunctionRef<std::string(TopicId)> name_of, std::string& note);

// Opens the directory of a partition, with that check against `catalog`.
//
// Errors: DataLoss when the directory is missing; those of
// CheckPartitionIdentity; file errors (log/system/errno_status.h).
absl::StatusOr<std::unique_ptr<Directory>> OpenPartitionDirectory(
    Directory& data, const TopicCatalog& catalog, const Topic& topic,
    int32_t partition, std::string& note);

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_PARTITION_IDENTITY_H_
