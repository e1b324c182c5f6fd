// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_CHECKPOINT_H_
#define VARVE_LOG_PARTITION_CHECKPOINT_H_

#include <cstdint>

#include "log/batch_scanner.h"

namespace varve {

// Where a checkpoint is known from.
enum class CheckpointOrigin {
  // A sound varve.checkpoint: at and above its recovery point nobody but varve
  // has written, and the log leaves no offset out there.
  kOwn,
  // That file is missing or damaged. The bounds are true, and nothing is known
  // of who wrote what is above them.
  kStandIn,
};

// What the store's checkpoint says of a partition.
struct PartitionCheckpoint {
  int64_t log_start = 0;       // the first offset
  int64_t recovery_point = 0;  // everything below it was durable once
  CheckpointOrigin origin = CheckpointOrigin::kOwn;

  friend bool operator==(const PartitionCheckpoint&,
                         const PartitionCheckpoint&) = default;
};

// What a store's own files say of a partition: what its bytes are judged by.
struct PartitionOutline {
  PartitionCheckpoint checkpoint = {};
  // kGapsAllowed: the partition was compacted, or may have been, at any time;
  // what cleanup.policy is today does not change what it was.
  Continuity continuity = Continuity::kExact;
};

// The last offset at which a gap may end that is no damage.
int64_t LastGapEnd(const PartitionCheckpoint& checkpoint);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_CHECKPOINT_H_
