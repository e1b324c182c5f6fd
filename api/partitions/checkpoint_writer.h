// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_CHECKPOINT_WRITER_H_
#define VARVE_API_PARTITIONS_CHECKPOINT_WRITER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/metrics/store_meters.h"
#include "varve/api/partitions/space_reserve.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Writes varve.checkpoint, one writer at a time, so that a later file never
// says less than an earlier one. A caller that comes while it is being written
// waits for the next file, which is written once for all such callers.
//
// Thread safety: thread-safe. The present checkpoint is asked for with the
// writer's lock held, so a caller holds no lock that this takes: the partition
// table's.
class CheckpointWriter {
 public:
  // When the disk is full: fail, or take the reserve, because what is written
  // lets files be deleted. Any other write would only hand it to the appends.
  enum class Room { kFound, kReserved };

  using Present = std::function<StoreCheckpoint()>;

  CheckpointWriter(std::shared_ptr<Directory> directory,
                   std::shared_ptr<StoreMeters> meters, Present present)
      : directory_(std::move(directory)),
        meters_(std::move(meters)),
        reserve_(directory_),
        present_(std::move(present)) {}

  // Makes sure that a full disk leaves room for the checkpoint.
  void RefillReserve();

  // Calls `write`, which may use the same reserve.
  absl::Status WriteWithReserve(absl::FunctionRef<absl::Status()> write);

  // Writes what `present` returns, or waits for another thread's file for which
  // it was called after this call began; durable on return.
  //
  // Errors: those of ReplaceFile; FailedPrecondition after `Stop`.
  absl::Status Write(Room room);

  // Waits for a write under way, and refuses further ones.
  void Stop();

  // How many calls of `Write` have not returned.
  int64_t writing() const {
    absl::MutexLock lock(&count_mu_);
    return writing_;
  }

 private:
  int64_t Enter();
  void Leave();
  int64_t Begin();
  absl::Status WriteNow(Room room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::shared_ptr<Directory> directory_;
  const std::shared_ptr<StoreMeters> meters_;

  absl::Mutex mu_;
  int64_t written_ ABSL_GUARDED_BY(mu_) = 0;  // the last file written
  SpaceReserve reserve_ ABSL_GUARDED_BY(mu_);
  Present present_ ABSL_GUARDED_BY(mu_);  // null when stopped

  // The files begun so far. A thread that reads `begun_` and then finds that a
  // later file was written has its earlier changes in that file: the lock
  // orders the two.
  mutable absl::Mutex count_mu_ ABSL_ACQUIRED_AFTER(mu_);
  int64_t begun_ ABSL_GUARDED_BY(count_mu_) = 0;
  int64_t writing_ ABSL_GUARDED_BY(count_mu_) = 0;
};

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_CHECKPOINT_WRITER_H_
