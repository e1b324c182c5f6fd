// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CHECKPOINT_WRITER_H_
#define VARVE_API_CHECKPOINT_WRITER_H_

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
// says less than an earlier one.
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

  // Writes what `present` returns; durable on return.
  //
  // Errors: those of ReplaceFile; FailedPrecondition after `Stop`.
  absl::Status Write(Room room);

  // Waits for a write under way, and refuses further ones.
  void Stop();

 private:
  const std::shared_ptr<Directory> directory_;
  const std::shared_ptr<MeterBoard> meters_;

  absl::Mutex mu_;
  SpaceReserve reserve_ ABSL_GUARDED_BY(mu_);
  Present present_ ABSL_GUARDED_BY(mu_);  // null when stopped
};

}  // namespace varve

#endif  // VARVE_API_CHECKPOINT_WRITER_H_
