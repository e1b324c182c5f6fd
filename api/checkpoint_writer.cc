// SPDX-License-Identifier: Apache-2.0

#include "api/checkpoint_writer.h"

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/meter_board.h"
#include "api/store_checkpoint.h"
#include "api/store_files.h"

namespace varve {

absl::Status CheckpointWriter::Write(Room room) {
  absl::MutexLock lock(&mu_);
  if (present_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory_->path(), ": closed"));
  }
  const StoreCheckpoint checkpoint = present_();
  const auto write = [&] {
    return WriteStoreCheckpoint(*directory_, checkpoint);
  };
  const bool reserved = room == Room::kReserved;
  absl::Status status = reserved ? reserve_.Write(write) : write();
  if (status.ok() && !reserved) reserve_.Refill();
  if (status.ok()) meters_->log().checkpoints.Add();
  return status;
}

void CheckpointWriter::RefillReserve() {
  absl::MutexLock lock(&mu_);
  reserve_.Refill();
}

absl::Status CheckpointWriter::WriteWithReserve(
    absl::FunctionRef<absl::Status()> write) {
  absl::MutexLock lock(&mu_);
  return reserve_.Write(write);
}

void CheckpointWriter::Stop() {
  absl::MutexLock lock(&mu_);
  present_ = nullptr;
}

}  // namespace varve
