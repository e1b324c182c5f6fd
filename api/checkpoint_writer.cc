// SPDX-License-Identifier: Apache-2.0

#include "api/checkpoint_writer.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/store_files.h"

namespace varve {

absl::Status CheckpointWriter::Write() {
  absl::MutexLock lock(&mu_);
  if (present_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory_->path(), ": closed"));
  }
  return WriteStoreCheckpoint(*directory_, present_());
}

void CheckpointWriter::Stop() {
  absl::MutexLock lock(&mu_);
  present_ = nullptr;
}

}  // namespace varve
