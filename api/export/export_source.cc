// SPDX-License-Identifier: Apache-2.0

#include "varve/api/export/export_source.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/api/backup/copy_source.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/catalog/topic_choice.h"
#include "varve/api/committed_offset.h"
#include "varve/api/export/export_report.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/read_only/partition_readers.h"
#include "varve/api/read_only/read_only_groups.h"
#include "varve/api/read_only/store_files_cache.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<std::unique_ptr<ExportSource>> ExportSource::Open(
    const std::string& path, const Environment& environment,
    const Codecs* codecs) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      OpenCopySource(path, CopyKind::kBackup, *environment.files);
  if (!directory.ok()) return directory.status();
  return std::unique_ptr<ExportSource>(
      new ExportSource(*std::move(directory), environment, codecs));
}

ExportSource::ExportSource(std::shared_ptr<Directory> directory,
                           const Environment& environment, const Codecs* codecs)
    : environment_(environment),
      files_(std::make_shared<StoreFilesCache>(std::move(directory),
                                               environment.clock)),
      readers_(files_, environment.clock, SealedAccess::kRead, codecs) {}

absl::StatusOr<std::vector<Topic>> ExportSource::Choose(
    const std::vector<std::string>& names) const {
  const absl::StatusOr<TopicCatalog> catalog = files_->ReadTopics();
  if (!catalog.ok()) return catalog.status();
  return ChooseTopics(*catalog, names,
                      "is internal, and a broker has its own: committed "
                      "offsets are written to it through Kafka's protocol");
}

absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>>
ExportSource::OpenReader(const Topic& topic, int32_t partition) const {
  return readers_.OpenOf(topic, partition);
}

absl::StatusOr<std::vector<ExportedOffset>> ExportSource::ReadOffsets(
    const std::vector<Topic>& topics, std::vector<std::string>& notes) const {
  ReadOnlyGroups groups(&readers_, environment_);
  const absl::StatusOr<std::map<std::string, std::vector<GroupOffset>>> all =
      groups.DescribeAll();
  if (!all.ok()) return all.status();
  std::vector<ExportedOffset> found;
  for (const auto& [group, offsets] : *all) {
    std::vector<ExportedOffset> of_group;
    for (const GroupOffset& offset : offsets) {
      const bool is_chosen = absl::c_any_of(topics, [&](const Topic& topic) {
        return topic.name == offset.partition.topic &&
               topic.Has(offset.partition.partition);
      });
      if (!is_chosen) continue;
      of_group.push_back({.group = group,
                          .partition = offset.partition,
                          .offset = offset.committed.offset});
    }
    if (!of_group.empty() && group.find_first_of("\r\n") != group.npos) {
      notes.push_back(absl::StrCat(
          QuotedGroup(group),
          ": its committed offsets are left out: there is a line break in its "
          "name, which kafka-consumer-groups.sh cannot take from a file"));
      continue;
    }
    absl::c_move(of_group, std::back_inserter(found));
  }
  return found;
}

}  // namespace varve
