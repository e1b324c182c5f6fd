// SPDX-License-Identifier: Apache-2.0

#include "varve/log/sync/pending_sync.h"

#include <cstdint>
#include <memory>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "varve/log/producer_state/partition_producers.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/errno_status.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::Status SealAndSync(Segment& segment, Directory& directory) {
  absl::Status status = segment.TakeName(directory);
  if (status.ok()) status = segment.Seal();
  return status.ok() ? segment.SyncSealed() : status;
}

absl::Status SyncInOrder(const PendingSync& files, Directory& directory) {
  bool names_changed = files.directory || !files.producer_files.empty();
  for (const auto& due : files.producer_files) {
    absl::Status status = due->Write(directory);
    if (!status.ok())
      return LeavesAllAsItWas(status) ? status : AsPoison(status);
  }
  int64_t synced_base = -1;
  for (const std::shared_ptr<Segment>& segment : files.sealed) {
    CHECK_GT(segment->base_offset(), synced_base);
    synced_base = segment->base_offset();
    absl::Status status = SealAndSync(*segment, directory);
    if (!status.ok()) return status;
    // A sidecar is optional, so a failure (such as a full disk) must not poison
    // the log.
    if (segment->WriteSidecar(directory)) names_changed = true;
  }
  if (files.active != nullptr) {
    CHECK_GT(files.active->base_offset(), synced_base);
    absl::Status status = files.active->TakeName(directory);
    if (!status.ok()) return status;
  }
  if (names_changed) {
    // The directory is open, so any failure is one of the sync, whatever its
    // code.
    absl::Status status = AsPoison(directory.Sync());
    if (!status.ok()) return status;
  }
  return files.active == nullptr ? absl::OkStatus() : files.active->Sync();
}

}  // namespace

absl::Status PendingSync::Sync(Directory& in) const {
  absl::Status status = directory || !sealed.empty() || !producer_files.empty()
                            ? in.KeepOpen()
                            : absl::OkStatus();
  return status.ok() ? SyncInOrder(*this, in) : status;
}

}  // namespace varve
