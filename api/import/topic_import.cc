// SPDX-License-Identifier: Apache-2.0

#include "varve/api/import/topic_import.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/import/import_report.h"
#include "varve/api/import/import_source.h"
#include "varve/log/import/partition_import.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::StatusOr<std::unique_ptr<Directory>> OpenOrMake(Directory& data,
                                                      const std::string& name) {
  absl::Status made = data.CreateDirectory(name);
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  return data.OpenDirectory(name);
}

}  // namespace

absl::StatusOr<TopicFiles> ImportTopicFiles(
    const ImportSource& source, const Topic& topic, Directory& data,
    const std::function<void(int64_t bytes)>& progress) {
  TopicFiles files;
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    absl::StatusOr<std::unique_ptr<Directory>> from =
        source.OpenPartition(topic, i);
    if (!from.ok()) return from.status();
    absl::StatusOr<std::unique_ptr<Directory>> to =
        OpenOrMake(data, PartitionDirectoryName(topic.name, i));
    if (!to.ok()) return to.status();
    absl::Status status = PrepareImport(**to, topic.id);
    if (!status.ok()) return status;
    absl::StatusOr<PartitionImport> one =
        ImportPartition({.source = **from, .destination = **to},
                        {.topic_id = topic.id,
                         .config = topic.config.log,
                         .checkpoint = source.CheckpointOf(topic, i),
                         .progress = progress});
    if (!one.ok()) return one.status();
    files.bounds[{topic.name, i}] = one->checkpoint;
    if (one->continuity == Continuity::kGapsAllowed)
      files.continuity = one->continuity;
    files.partitions.push_back({.partition = i,
                                .log_start = one->checkpoint.log_start,
                                .end_offset = one->checkpoint.recovery_point,
                                .segments = one->segments,
                                .records = one->records,
                                .copied_bytes = one->copied_bytes,
                                .kept_bytes = one->kept_bytes});
    for (std::string& line : one->damage)
      files.damage.push_back(std::move(line));
  }
  return files;
}

absl::Status ForgetProgress(const Topic& topic, Directory& data) {
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    absl::StatusOr<std::unique_ptr<Directory>> directory =
        data.OpenDirectory(PartitionDirectoryName(topic.name, i));
    absl::Status status =
        directory.ok() ? ForgetProgress(**directory) : directory.status();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportSize> MeasureTopic(const ImportSource& source,
                                        const Topic& topic, Directory& data) {
  ImportSize total;
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    absl::StatusOr<std::unique_ptr<Directory>> from =
        source.OpenPartition(topic, i);
    if (!from.ok()) return from.status();
    absl::StatusOr<std::unique_ptr<Directory>> to =
        data.OpenDirectory(PartitionDirectoryName(topic.name, i));
    if (!to.ok() && !absl::IsNotFound(to.status())) return to.status();
    const absl::StatusOr<ImportSize> size =
        MeasureImport(**from, to.ok() ? to->get() : nullptr);
    if (!size.ok()) return size.status();
    total.all_bytes += size->all_bytes;
    total.missing_bytes += size->missing_bytes;
  }
  return total;
}

}  // namespace varve
