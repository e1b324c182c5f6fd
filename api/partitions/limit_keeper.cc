// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/limit_keeper.h"

#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/partitions/checkpoint_writer.h"
#include "varve/api/partitions/retention_notices.h"
#include "varve/log/meters/stop_watch.h"
#include "varve/log/partition/apply_retention.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/clock.h"

namespace varve {

LimitKeeper::Left LimitKeeper::Keep(PartitionLog& log) {
  absl::ReaderMutexLock lock(&stopping_);
  return stopped_ ? Left::kNothing : KeepOpen(log);
}

void LimitKeeper::Stop() {
  absl::MutexLock lock(&stopping_);
  stopped_ = true;
}

LimitKeeper::Left LimitKeeper::KeepOpen(PartitionLog& log) {
  const absl::StatusOr<int64_t> over = CountOverBytes(log);
  if (!over.ok()) {
    if (!HasFailed(log)) NoteFailure(log, over.status());
    return Left::kForBackground;
  }
  if (*over == 0) return Left::kNothing;
  if (*over < kSegmentsOverMax || HasFailed(log)) return Left::kForBackground;
  const StopWatch watch = log.meters().BeginRetentionWait();
  const absl::Status status = Delete(log);
  watch.Stop();
  if (status.ok()) return Left::kNothing;
  NoteFailure(log, status);
  return Left::kForBackground;
}

absl::Status LimitKeeper::Delete(PartitionLog& log) {
  const int64_t log_start_before = log.log_start();
  absl::Status status = ApplyRetentionBytes(log);
  const int64_t log_start = log.log_start();
  TellGivenUp(environment_, log, log_start_before);
  if (status.ok())
    status = checkpoint_writer_->Write(CheckpointWriter::Room::kReserved);
  return status.ok() ? log.DeleteTrimmed(log_start) : status;
}

bool LimitKeeper::HasFailed(const PartitionLog& log) {
  absl::MutexLock lock(&mu_);
  const auto failed = retry_.find(&log);
  if (failed == retry_.end()) return false;
  if (environment_.clock->Steady() < failed->second) return true;
  retry_.erase(failed);
  return false;
}

void LimitKeeper::NoteFailure(const PartitionLog& log,
                              const absl::Status& status) {
  {
    const absl::Time now = environment_.clock->Steady();
    absl::MutexLock lock(&mu_);
    // This removes the entries of logs that were destroyed, too.
    std::erase_if(retry_,
                  [&](const auto& entry) { return entry.second < now; });
    retry_[&log] = now + kRetryDelay;
  }
  // A log that was closed meanwhile needs no more room.
  if (absl::IsFailedPrecondition(status) || absl::IsNotFound(status)) return;
  NoteDutyFailure(environment_, meters_->log(),
                  "deletion beyond retention.bytes", status);
}

}  // namespace varve
