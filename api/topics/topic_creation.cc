// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topics/topic_creation.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::Status CreateOne(Directory& data, const std::string& name,
                       const Topic& topic) {
  absl::Status created = data.CreateDirectory(name);
  if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      data.OpenDirectory(name);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<std::vector<int64_t>> segments = ListSegments(**directory);
  if (!segments.ok()) return segments.status();
  if (!segments->empty()) {
    return absl::AlreadyExistsError(absl::StrCat(
        (*directory)->path(),
        ": holds segments of a topic that is not in the catalog: move the "
        "directory away, or choose another topic name"));
  }
  return ReplaceFile(**directory, kPartitionMetadataName,
                     FormatPartitionMetadata(topic.id));
}

// Failures are dropped: the next creation uses what is left.
void RemoveOne(Directory& data, const std::string& name) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      data.OpenDirectory(name);
  if (!directory.ok()) return;
  (*directory)->RemoveFile(kPartitionMetadataName).IgnoreError();
  data.RemoveDirectory(name).IgnoreError();
}

}  // namespace

absl::Status CreatePartitionDirectories(Directory& data, const Topic& topic,
                                        int32_t first) {
  absl::Status status;
  Topic made = topic;  // with the partitions made so far
  made.config.partitions = first;
  while (status.ok() && made.config.partitions < topic.config.partitions) {
    status = CreateOne(
        data, PartitionDirectoryName(topic.name, made.config.partitions),
        topic);
    if (!absl::IsAlreadyExists(status)) ++made.config.partitions;
  }
  if (status.ok()) status = data.Sync();
  if (!status.ok()) RemovePartitionDirectories(data, made, first);
  return status;
}

void RemovePartitionDirectories(Directory& data, const Topic& topic,
                                int32_t first) {
  for (int32_t partition = first; partition < topic.config.partitions;
       ++partition) {
    RemoveOne(data, PartitionDirectoryName(topic.name, partition));
  }
}

}  // namespace varve
