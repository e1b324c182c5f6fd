// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CHECKPOINT_WRITER_H_
#define VARVE_API_CHECKPOINT_WRITER_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
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
  using Present = std::function<StoreCheckpoint()>;

  CheckpointWriter(std::shared_ptr<Directory> directory, Present present)
      : directory_(std::move(directory)), present_(std::move(present)) {}

  // Writes what `present` returns; durable on return.
  //
  // Errors: those of ReplaceFile; FailedPrecondition after `Stop`.
  absl::Status Write();

  // Waits for a write under way, and refuses further ones.
  void Stop();

 private:
  const std::shared_ptr<Directory> directory_;

  absl::Mutex mu_;
  Present present_ ABSL_GUARDED_BY(mu_);  // null when stopped
};

}  // namespace varve

#endif  // VARVE_API_CHECKPOINT_WRITER_H_
