// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CHECKPOINT_WRITER_H_
#define VARVE_API_CHECKPOINT_WRITER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/meter_board.h"
#include "api/space_reserve.h"
#include "api/store_checkpoint.h"
#include "log/file_system.h"

namespace varve {

// Writes varve.checkpoint, one writer at a time, so that a later file never
// says less than an earlier one. Who comes while it is being written waits for
// the next file, which is written once for all of them.
//
// Thread safety: thread-safe. The present checkpoint is asked for while its own
// lock is held; no other lock may be.
class CheckpointWriter {
 public:
  // When the disk is full: fail, or take the reserve, because what is written
  // lets files be deleted. Any other write would only hand it to the appends.
  enum class Room { kFound, kReserved };

  using Present = std::function<StoreCheckpoint()>;

  CheckpointWriter(std::shared_ptr<Directory> directory,
                   std::shared_ptr<MeterBoard> meters, Present present)
      : directory_(std::move(directory)),
        meters_(std::move(meters)),
        reserve_(directory_),
        present_(std::move(present)) {}

  // Sees to it that a full disk leaves room for the checkpoint.
  void RefillReserve();

  // Calls `write` with the same room to fall back on.
  absl::Status WriteWithReserve(absl::FunctionRef<absl::Status()> write);

  // Writes what `present` returns, or waits for somebody else's file for which
  // it was asked after this call; durable on return.
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
  const std::shared_ptr<MeterBoard> meters_;

  absl::Mutex mu_;
  int64_t written_ ABSL_GUARDED_BY(mu_) = 0;  // the last file that was
  SpaceReserve reserve_ ABSL_GUARDED_BY(mu_);
  Present present_ ABSL_GUARDED_BY(mu_);  // null when stopped

  // The files begun so far. Whoever reads `begun_` and then finds that a later
  // one was written has what it changed before in that file: the lock orders
  // the two.
  mutable absl::Mutex count_mu_ ABSL_ACQUIRED_AFTER(mu_);
  int64_t begun_ ABSL_GUARDED_BY(count_mu_) = 0;
  int64_t writing_ ABSL_GUARDED_BY(count_mu_) = 0;
};

}  // namespace varve

#endif  // VARVE_API_CHECKPOINT_WRITER_H_
