// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_SYNC_PARTITIONS_H_
#define VARVE_API_STORE_SYNC_PARTITIONS_H_

#include <vector>

#include "absl/types/span.h"
#include "varve/api/duty/side_by_side.h"
#include "varve/api/partition.h"
#include "varve/api/partition_failure.h"

namespace varve {

// Syncs the partitions, as far as the machine has use for it side by side; one
// that fails keeps no other from being synced. Returns the failures, those of
// Partition::Sync, in the order of the partitions.
std::vector<PartitionFailure> SyncPartitions(
    absl::Span<const Partition> partitions, SideBySide& side_by_side);

}  // namespace varve

#endif  // VARVE_API_STORE_SYNC_PARTITIONS_H_
