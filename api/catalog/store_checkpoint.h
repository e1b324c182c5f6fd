// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CATALOG_STORE_CHECKPOINT_H_
#define VARVE_API_CATALOG_STORE_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "varve/log/metadata/partition_checkpoint.h"

namespace varve {

// Log start and recovery point of every partition, and how far it is compacted,
// by topic and number: the contents of the file varve.checkpoint. Each recovery
// point is a lower bound of what is durable: the file is replaced some time
// after the syncs. A partition that is not listed starts at 0 and has nothing
// durable.
using StoreCheckpoint =
    std::map<std::pair<std::string, int32_t>, PartitionCheckpoint>;

// The checkpoint that an open found in a store.
struct FoundCheckpoint {
  StoreCheckpoint partitions = {};
  // It holds for the partitions that are not listed, too.
  CheckpointOrigin origin = CheckpointOrigin::kOwn;
};

// The file's contents, and back.
//
// Errors: DataLoss, with the line and what is wrong with it; FailedPrecondition
// when a newer version wrote it.
std::string FormatStoreCheckpoint(const StoreCheckpoint& checkpoint);
absl::StatusOr<StoreCheckpoint> ParseStoreCheckpoint(std::string_view text);

}  // namespace varve

#endif  // VARVE_API_CATALOG_STORE_CHECKPOINT_H_
