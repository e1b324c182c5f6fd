// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_LEADER_EPOCH_CHECKPOINT_H_
#define VARVE_LOG_METADATA_LEADER_EPOCH_CHECKPOINT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The file leader-epoch-checkpoint of a partition's directory.

// No such file grows so large: an entry takes at most 31 bytes, and only an
// unclean open begins an epoch.
inline constexpr int64_t kLeaderEpochCheckpointSizeMax = int64_t{64} << 20;

// Errors: NotFound; DataLoss, with the path, the line and what is wrong; other
// file errors (log/system/errno_status.h).
absl::StatusOr<LeaderEpochs> ReadLeaderEpochCheckpoint(Directory& directory);

// Replaces the file. Durable on return. Errors: those of `ReplaceFile`.
absl::Status WriteLeaderEpochCheckpoint(Directory& directory,
                                        const LeaderEpochs& epochs);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_LEADER_EPOCH_CHECKPOINT_H_
