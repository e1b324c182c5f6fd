// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/partition_checkpoint.h"

#include <cstdint>
#include <limits>

namespace varve {

int64_t LastGapEnd(const PartitionCheckpoint& checkpoint) {
  return checkpoint.origin == CheckpointOrigin::kOwn
             ? checkpoint.recovery_point
             : std::numeric_limits<int64_t>::max();
}

}  // namespace varve
