// SPDX-License-Identifier: Apache-2.0

#include "log/unsynced_files.h"

#include <memory>

#include "absl/status/status.h"
#include "log/errno_status.h"
#include "log/file_system.h"
#include "log/segment.h"

namespace varve {
namespace {

absl::Status SealAndSync(Segment& segment, Directory& directory) {
  absl::Status status = segment.TakeName(directory);
  if (status.ok()) status = segment.Seal();
  return status.ok() ? segment.SyncSealed() : status;
}

absl::Status SyncInOrder(const UnsyncedFiles& files, Directory& directory) {
  bool names_changed = files.directory;
  for (const std::shared_ptr<Segment>& segment : files.sealed) {
    absl::Status status = SealAndSync(*segment, directory);
    if (!status.ok()) return status;
    // The log does without one, and must not be poisoned for want of it: the
    // disk may be full.
    if (segment->WriteSidecar(directory)) names_changed = true;
  }
  if (files.active != nullptr) {
    absl::Status status = files.active->TakeName(directory);
    if (!status.ok()) return status;
  }
  if (names_changed) {
    // It is open, so what fails is the sync, whatever the code.
    absl::Status status = AsPoison(directory.Sync());
    if (!status.ok()) return status;
  }
  return files.active == nullptr ? absl::OkStatus() : files.active->Sync();
}

}  // namespace

absl::Status UnsyncedFiles::Sync(Directory& in) const {
  absl::Status status =
      directory || !sealed.empty() ? in.KeepOpen() : absl::OkStatus();
  return status.ok() ? SyncInOrder(*this, in) : status;
}

}  // namespace varve
