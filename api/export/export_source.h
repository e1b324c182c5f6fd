// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_EXPORT_EXPORT_SOURCE_H_
#define VARVE_API_EXPORT_EXPORT_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/export/export_report.h"
#include "varve/api/read_only/partition_readers.h"
#include "varve/api/read_only/store_files_cache.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The store that is exported, or a backup, whether or not it has a writer.
// Nothing in it is changed, and no lock is taken.
//
// Thread safety: externally synchronized.
class ExportSource {
 public:
  // Borrows the environment and the codecs, which may be null.
  //
  // Errors: NotFound when there is no store; FailedPrecondition when the
  // directory is another program's, or an unfinished copy, or of a newer
  // version; DataLoss when varve.topics is damaged; file errors
  // (log/system/errno_status.h).
  static absl::StatusOr<std::unique_ptr<ExportSource>> Open(
      const std::string& path, const Environment& environment,
      const Codecs* codecs);

  ExportSource(const ExportSource&) = delete;
  ExportSource& operator=(const ExportSource&) = delete;

  Directory& directory() const { return files_->directory(); }
  StoreFilesCache& files() const { return *files_; }

  // The topics with these names, or all but internal ones, by name.
  //
  // Errors: NotFound; InvalidArgument for an internal topic; those of reading
  // varve.topics.
  absl::StatusOr<std::vector<Topic>> Choose(
      const std::vector<std::string>& names) const;

  // Errors: those of PartitionReaders::OpenOf.
  absl::StatusOr<std::shared_ptr<ReadOnlyPartitionReader>> OpenReader(
      const Topic& topic, int32_t partition) const;

  // What groups have committed for the topics. One that Kafka's tool cannot
  // take is left out, which is a line in `notes`.
  //
  // Errors: those of ReadOnlyGroups::DescribeAll.
  absl::StatusOr<std::vector<ExportedOffset>> ReadOffsets(
      const std::vector<Topic>& topics, std::vector<std::string>& notes) const;

 private:
  ExportSource(std::shared_ptr<Directory> directory,
               const Environment& environment, const Codecs* codecs);

  const Environment& environment_;
  const std::shared_ptr<StoreFilesCache> files_;
  const PartitionReaders readers_;
};

}  // namespace varve

#endif  // VARVE_API_EXPORT_EXPORT_SOURCE_H_
