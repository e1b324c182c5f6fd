// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_IMPORT_IMPORT_SOURCE_H_
#define VARVE_API_IMPORT_IMPORT_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The directory of a broker that does not run, as it was when it was opened.
// Nothing in it is changed.
//
// Thread safety: externally synchronized.
class ImportSource {
 public:
  // Errors: NotFound when there is no broker's log; FailedPrecondition when it
  // is another program's, or the broker runs (of that IsLockConflict is true,
  // log/metadata/lock_conflict.h); file errors (log/system/errno_status.h).
  static absl::StatusOr<std::unique_ptr<ImportSource>> Open(
      const std::string& path, FileSystem& files);

  ImportSource(const ImportSource&) = delete;
  ImportSource& operator=(const ImportSource&) = delete;

  const std::shared_ptr<Directory>& directory() const { return directory_; }
  const TopicCatalog& catalog() const { return catalog_; }
  // What was left out of it.
  const std::vector<std::string>& notes() const { return notes_; }

  // Errors: FailedPrecondition when a broker has it open, now: what was read of
  // it may have changed.
  absl::Status CheckStopped() const;

  // The topics with these names, or all but internal ones.
  //
  // Errors: NotFound; InvalidArgument for an internal topic;
  // FailedPrecondition when other brokers have partitions of one of them.
  absl::StatusOr<std::vector<Topic>> Choose(
      const std::vector<std::string>& names) const;

  // Opens a partition's directory, to read. Errors: NotFound; file errors.
  absl::StatusOr<std::unique_ptr<Directory>> OpenPartition(
      const Topic& topic, int32_t partition) const;

  // What the broker's checkpoints say of the partition.
  PartitionCheckpoint CheckpointOf(const Topic& topic, int32_t partition) const;

  // Whether the broker's log cleaner has compacted a partition of the topic.
  bool WasCleaned(const Topic& topic) const;

 private:
  explicit ImportSource(std::unique_ptr<Directory> directory)
      : directory_(std::move(directory)) {}

  absl::Status Read();
  absl::Status ReadCleaned();

  const std::shared_ptr<Directory> directory_;
  TopicCatalog catalog_;
  FoundCheckpoint checkpoint_;
  std::vector<std::string> cleaned_;  // names of topics
  std::vector<std::string> notes_;
};

}  // namespace varve

#endif  // VARVE_API_IMPORT_IMPORT_SOURCE_H_
