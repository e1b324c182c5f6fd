// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_EXPORT_EXPORT_DESTINATION_H_
#define VARVE_API_EXPORT_EXPORT_DESTINATION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/export/export_report.h"
#include "varve/api/export/root_checkpoints.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The directory that topics are exported to: one of a stopped broker's
// log.dirs, or any other one.
//
// A partition is made in a directory of its own, `<topic>-<n>.<id>-delete`, and
// gets its name when its whole topic is made. A broker removes directories of
// such names when it is started: so what an export that was given up has left
// is no harm to it. For the moment of the renaming, the broker's own, empty
// directory of the partition has such a name, too.
//
// Owns the lock of the directory, which a broker wants as well.
//
// Thread safety: externally synchronized.
class ExportDestination {
 public:
  // Makes the directory, and those above it, if it is not there.
  //
  // Errors: FailedPrecondition when it is a store or another program's, or a
  // broker or another export has it open, of which IsLockConflict is true
  // (log/metadata/lock_conflict.h); DataLoss when a broker's checkpoint is
  // damaged. Nothing has changed then but a `.lock` that was made. File errors
  // (log/system/errno_status.h).
  static absl::StatusOr<std::unique_ptr<ExportDestination>> Begin(
      const std::string& path, FileSystem& files);

  // Removes the `.lock` from a broker's directory if it was not there before: a
  // broker of another user could not open it.
  ~ExportDestination();

  ExportDestination(const ExportDestination&) = delete;
  ExportDestination& operator=(const ExportDestination&) = delete;

  Directory& directory() const { return *directory_; }
  ExportKind kind() const { return kind_; }

  // Undoes what an interrupted call has left of the renaming. Returns the id
  // that the topic has at the broker; nothing in a directory that is kPlain.
  //
  // Errors: NotFound when the broker has no such topic; FailedPrecondition when
  // it has another number of partitions here, or one directory has something
  // else in it than a partition; DataLoss when the id is not readable.
  absl::StatusOr<std::optional<TopicId>> Prepare(const Topic& topic);

  // The directory of a partition that has, or had, records; null when there is
  // none, or an empty one.
  absl::StatusOr<std::unique_ptr<Directory>> OpenFilled(const Topic& topic,
                                                        int32_t partition);

  // Whether the partition has a directory.
  bool Has(const Topic& topic, int32_t partition);

  // Where a partition is made: null when nothing is begun. And begins.
  absl::StatusOr<std::unique_ptr<Directory>> OpenStaged(const Topic& topic,
                                                        int32_t partition);
  absl::StatusOr<std::unique_ptr<Directory>> MakeStaged(const Topic& topic,
                                                        int32_t partition);

  // Gives the partitions that were made their names, and corrects the
  // checkpoints: durable on return. A broker finds no mark of a clean stop
  // then, and checks what is new to it.
  //
  // Precondition: each of these is made, and settled (SettleExport).
  absl::Status Publish(const Topic& topic,
                       absl::Span<const ExportedStart> partitions);

 private:
  ExportDestination(std::unique_ptr<Directory> directory, ExportKind kind)
      : directory_(std::move(directory)), kind_(kind) {}

  absl::Status Lock();
  absl::Status PutBack(const Topic& topic, int32_t partition);
  absl::StatusOr<TopicId> ReadIdOfBroker(const Topic& topic);
  absl::Status RenameStaged(const Topic& topic, int32_t partition);
  absl::Status RemoveAside(const std::string& name);

  const std::unique_ptr<Directory> directory_;
  const ExportKind kind_;
  std::unique_ptr<File> lock_;
  bool made_lock_ = false;
};

}  // namespace varve

#endif  // VARVE_API_EXPORT_EXPORT_DESTINATION_H_
