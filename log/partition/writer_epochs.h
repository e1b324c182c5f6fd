// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_WRITER_EPOCHS_H_
#define VARVE_LOG_PARTITION_WRITER_EPOCHS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The leader epochs of a partition in the process that writes it, and the one
// that its batches get.
//
// Borrows the directory, which must outlive it.
//
// Thread safety: externally synchronized, by the partition's lock.
class WriterEpochs {
 public:
  WriterEpochs(Directory* directory, const RecoveredLog& log);

  // Begins the epoch of the batches that are appended from `next_offset` on:
  // after an unclean open one of its own, durable on return; else the highest.
  //
  // Errors: ResourceExhausted, and a later call may succeed; file errors.
  absl::Status Begin(int64_t next_offset);

  // Whether `Begin` would write the checkpoint.
  bool needs_checkpoint() const { return needs_new_ && highest_ >= 0; }

  // Removes the epochs that ended before `offset` from the checkpoint, for a
  // log whose files begin there. Durable on return, unless it fails: then they
  // stay, and do no harm.
  void ForgetBefore(int64_t offset);

  // The epoch of the batches; -1 before `Begin`.
  int32_t current() const { return current_; }
  const LeaderEpochs& epochs() const { return epochs_; }

 private:
  Directory* const directory_;
  LeaderEpochs epochs_;
  int32_t highest_;  // of any batch or epoch ever met; -1: none
  bool needs_new_;
  int32_t current_ = -1;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_WRITER_EPOCHS_H_
