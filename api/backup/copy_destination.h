// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_BACKUP_COPY_DESTINATION_H_
#define VARVE_API_BACKUP_COPY_DESTINATION_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/store_copy.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What the directory is when the copy is done.
enum class CopyKind {
  kBackup,   // a store that is only read: it has varve.backup
  kRestore,  // a store
};

// How a store is opened for the first time after it was copied.
enum class FirstOpen {
  kTrusting,  // as after a clean close
  kChecking,  // as after a crash: it checks each committed offset
};

// The directory that a store is copied to. From `Begin` to `Finish` it is an
// unfinished backup or restore, which nobody takes for a store: without
// varve.topics or, in a restore, with varve.restore (log/FORMAT.md, "The data
// directory"). Both changes are durable before and after all others. What an
// interruption leaves is begun again, and segments in it are kept.
//
// Owns the lock of the directory, so that no store is opened in it, and no
// other copy made to it, meanwhile.
//
// Thread safety: externally synchronized.
class CopyDestination {
 public:
  // Makes the directory, and those above it, if it is not there.
  //
  // Errors: AlreadyExists when it has a finished copy of this kind, and
  // `existing` is kRefuse; FailedPrecondition when it is another program's, or
  // of the other kind (a backup never replaces a store, nor a restore a
  // backup), or another process has it open (log/metadata/lock_conflict.h), or
  // a directory in it is named like a partition's and has something else in it;
  // nothing has changed then but a `.lock` that was made. File errors
  // (log/system/errno_status.h).
  static absl::StatusOr<std::unique_ptr<CopyDestination>> Begin(
      const std::string& path, CopyKind kind, ExistingCopy existing,
      FileSystem& files);

  CopyDestination(const CopyDestination&) = delete;
  CopyDestination& operator=(const CopyDestination&) = delete;

  const std::string& path() const { return directory_->path(); }
  Directory& directory() const { return *directory_; }

  // Opens the directory of a partition, made if it is not there.
  absl::StatusOr<std::unique_ptr<Directory>> OpenPartition(
      const std::string& name);

  // Removes the directories of partitions that are not among `names`.
  //
  // Errors: FailedPrecondition when there is something in one that no partition
  // has, and nothing of it is removed then; file errors.
  absl::Status RemovePartitionsBut(const std::set<std::string>& names);

  // Writes the store's own files, which makes it a store, and at the very end
  // one that is finished. Durable on return. After an error of the last sync it
  // may be finished, and a power loss may undo that.
  //
  // Precondition: everything else in it is durable, but for the names of
  // partitions' directories.
  absl::Status Finish(const TopicCatalog& catalog,
                      const StoreCheckpoint& checkpoint, FirstOpen first_open);

 private:
  CopyDestination(std::unique_ptr<Directory> directory,
                  std::unique_ptr<File> lock, CopyKind kind)
      : directory_(std::move(directory)), lock_(std::move(lock)), kind_(kind) {}

  absl::Status MarkUnfinished();
  absl::StatusOr<std::vector<std::string>> PartitionNames();
  absl::Status CheckPartitions();
  absl::Status RemovePartition(const std::string& name);

  const std::unique_ptr<Directory> directory_;
  const std::unique_ptr<File> lock_;
  const CopyKind kind_;
};

}  // namespace varve

#endif  // VARVE_API_BACKUP_COPY_DESTINATION_H_
