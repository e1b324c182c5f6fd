// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_LIMIT_KEEPER_H_
#define VARVE_API_PARTITIONS_LIMIT_KEEPER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/metrics/store_meters.h"
#include "varve/api/partitions/checkpoint_writer.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/environment.h"

namespace varve {

// Makes retention.bytes a limit, not a wish. Deletion in the background has the
// lowest priority, and appends that take all of the machine would keep it from
// running for ever. So an append that begins a segment counts how many others
// are too many:
//
//   | too many      | what happens                                            |
//   |---------------|---------------------------------------------------------|
//   | none          | nothing                                                 |
//   | one           | the background is called, before its time               |
//   | two and more  | the append waits: it deletes them itself, on its thread |
//
// It waits for one such deletion, a sync of the deleted segments that are not
// durable yet, a checkpoint and the unlinking, and for nothing else: neither
// for a thread of the store, nor for views that pin those segments. Then it
// returns, whether or not that succeeded: a deletion that fails is logged, is
// no failure of the append, and is not tried again by an append for
// kRetryDelay.
//
// A partition that n threads append to may so have n more segments while they
// all wait.
//
// Thread safety: thread-safe. Calls for several partitions share checkpoints.
class LimitKeeper {
 public:
  static constexpr int64_t kSegmentsOverMax = 2;
  static constexpr absl::Duration kRetryDelay = absl::Seconds(1);

  LimitKeeper(std::shared_ptr<CheckpointWriter> checkpoint_writer,
              const Environment& environment,
              std::shared_ptr<StoreMeters> meters)
      : checkpoint_writer_(std::move(checkpoint_writer)),
        environment_(environment),
        meters_(std::move(meters)) {}

  // Call it when the log has begun a segment, without a lock.
  enum class Left { kNothing, kForBackground };
  Left Keep(PartitionLog& log) ABSL_LOCKS_EXCLUDED(stopping_, mu_);

  // Waits for calls under way; later ones do nothing. Call it before the store
  // gives up its lock.
  void Stop() ABSL_LOCKS_EXCLUDED(stopping_);

 private:
  Left KeepOpen(PartitionLog& log);
  absl::Status Delete(PartitionLog& log);
  bool HasFailed(const PartitionLog& log);
  void NoteFailure(const PartitionLog& log, const absl::Status& status);

  // Constant after construction.
  const std::shared_ptr<CheckpointWriter> checkpoint_writer_;
  const Environment environment_;
  const std::shared_ptr<StoreMeters> meters_;

  // Shared by calls under way.
  absl::Mutex stopping_ ABSL_ACQUIRED_BEFORE(mu_);
  bool stopped_ ABSL_GUARDED_BY(stopping_) = false;

  absl::Mutex mu_;
  // When to try again, of logs whose deletion has failed. A log is only a key
  // here: a new one at the address of an old one is left to the background
  // for kRetryDelay at most, which does no harm.
  std::map<const PartitionLog*, absl::Time> retry_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_LIMIT_KEEPER_H_
