// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/writer_epochs.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/system/file_system.h"

namespace varve {

WriterEpochs::WriterEpochs(Directory* directory, const RecoveredLog& log)
    : directory_(directory),
      epochs_(log.epochs),
      highest_(log.highest_epoch),
      needs_new_(log.needs_new_epoch) {
  CHECK_GE(highest_, epochs_.highest().value_or(-1));
}

absl::Status WriterEpochs::Begin(int64_t next_offset) {
  if (!needs_new_ && epochs_.highest().has_value()) {
    current_ = *epochs_.highest();
    CHECK_EQ(current_, highest_);
    return absl::OkStatus();
  }
  if (highest_ == std::numeric_limits<int32_t>::max()) {
    return absl::ResourceExhaustedError(
        absl::StrCat(directory_->path(), ": leader epochs are used up"));
  }
  LeaderEpochs next = epochs_;
  next.Assign(highest_ + 1, next_offset);
  CHECK_EQ(next.highest().value_or(-1), highest_ + 1);
  absl::Status status = WriteLeaderEpochCheckpoint(*directory_, next);
  if (!status.ok()) return status;
  epochs_ = std::move(next);
  current_ = ++highest_;
  needs_new_ = false;
  return absl::OkStatus();
}

// The start of the first epoch left moves up only when others are removed, so
// that a trim costs no write unless it removes the last record of an epoch.
void WriterEpochs::ForgetBefore(int64_t offset) {
  LeaderEpochs next = epochs_;
  next.TruncateFromStart(offset);
  CHECK(next.highest() == epochs_.highest());
  if (next.entries().size() == epochs_.entries().size()) return;
  if (WriteLeaderEpochCheckpoint(*directory_, next).ok())
    epochs_ = std::move(next);
}

}  // namespace varve
