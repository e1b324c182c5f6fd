// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/partition_identity.h"

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<TopicId> ReadTopicId(Directory& directory) {
  absl::StatusOr<std::string> text = ReadWholeFile(
      directory, kPartitionMetadataName, kPartitionMetadataSizeMax);
  if (!text.ok()) return text.status();
  return ParsePartitionMetadata(*text);
}

absl::Status CheckPartitionIdentity(
    Directory& directory, const Topic& topic,
    absl::FunctionRef<std::string(TopicId)> name_of, std::string& note) {
  const std::string path = directory.PathOf(kPartitionMetadataName);
  absl::StatusOr<TopicId> id = ReadTopicId(directory);
  if (!id.ok()) {
    note = absl::StrCat(path, ": not readable: ", id.status().message());
    return absl::OkStatus();
  }
  if (*id == topic.id) return absl::OkStatus();
  const std::string other = name_of(*id);
  if (other.empty()) {
    note = absl::StrCat(path, ": says topic id ", id->ToText(),
                        ", which no topic has; expected ", topic.id.ToText());
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      path, ": this directory belongs to topic \"", other, "\", not to \"",
      topic.name, "\": put the directories back in their places"));
}

absl::StatusOr<std::unique_ptr<Directory>> OpenPartitionDirectory(
    Directory& data, const TopicCatalog& catalog, const Topic& topic,
    int32_t partition, std::string& note) {
  const std::string name = PartitionDirectoryName(topic.name, partition);
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      data.OpenDirectory(name);
  if (absl::IsNotFound(directory.status())) {
    return absl::DataLossError(
        absl::StrCat(data.PathOf(name), ": the partition's directory is gone"));
  }
  if (!directory.ok()) return directory;
  absl::Status status = CheckPartitionIdentity(
      **directory, topic, [&](TopicId id) { return catalog.NameOf(id); }, note);
  if (!status.ok()) return status;
  return directory;
}

}  // namespace varve
