// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topics/topic_deletion.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/partition_identity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Whether directory `name` belongs to `deleted`, by its partition.metadata.
// Without a readable id it is taken to belong to the current topic that has
// this partition, if any.
absl::StatusOr<bool> IsOf(Directory& data, const std::string& name,
                          const Topic& deleted, bool has_successor) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      data.OpenDirectory(name);
  if (absl::IsNotFound(directory.status())) return false;
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<TopicId> id = ReadTopicId(**directory);
  if (id.ok()) return *id == deleted.id;
  if (absl::IsNotFound(id.status()) || absl::IsDataLoss(id.status()))
    return !has_successor;
  return id.status();
}

}  // namespace

absl::Status RenameDeletedPartitions(Directory& data,
                                     const TopicCatalog& catalog,
                                     const Topic& deleted,
                                     const Environment& environment,
                                     std::vector<std::string>& renamed) {
  const Topic* const successor = catalog.Find(deleted.name);
  for (int32_t partition = 0; partition < deleted.config.partitions;
       ++partition) {
    const std::string name = PartitionDirectoryName(deleted.name, partition);
    const absl::StatusOr<bool> is_of =
        IsOf(data, name, deleted,
             successor != nullptr && partition < successor->config.partitions);
    if (!is_of.ok()) return is_of.status();
    if (!*is_of) continue;
    const std::string new_name = DeletedDirectoryName(
        deleted.name, partition, environment.Random(), environment.Random());
    if (absl::Status status = data.Rename(name, new_name); !status.ok())
      return status;
    renamed.push_back(new_name);
  }
  return data.Sync();
}

}  // namespace varve
