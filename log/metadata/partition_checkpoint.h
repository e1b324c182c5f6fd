// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_PARTITION_CHECKPOINT_H_
#define VARVE_LOG_METADATA_PARTITION_CHECKPOINT_H_

#include <cstdint>
#include <optional>

#include "varve/log/metadata/continuity.h"

namespace varve {

// Where a checkpoint was read from.
enum class CheckpointOrigin {
  // A sound varve.checkpoint: at and above its recovery point only varve has
  // written, and the log leaves no offset out there.
  kOwn,
  // That file is missing or damaged. The bounds are true, but any program may
  // have written the records above them.
  kStandIn,
};

// What the store's checkpoint says of a partition.
struct PartitionCheckpoint {
  int64_t log_start = 0;       // the first offset
  int64_t recovery_point = 0;  // everything below it was durable once
  CheckpointOrigin origin = CheckpointOrigin::kOwn;
  // Everything below it is compacted; nothing when it never was.
  std::optional<int64_t> first_dirty = {};

  friend bool operator==(const PartitionCheckpoint&,
                         const PartitionCheckpoint&) = default;
};

// What a store's own files say of a partition; its bytes are judged by it.
struct PartitionFacts {
  PartitionCheckpoint checkpoint = {};
  // kGapsAllowed: the partition was compacted, or may have been, at any time;
  // the present cleanup.policy does not change that.
  Continuity continuity = Continuity::kExact;
};

// The last offset at which a gap may end without being damage.
int64_t LastGapEnd(const PartitionCheckpoint& checkpoint);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_PARTITION_CHECKPOINT_H_
