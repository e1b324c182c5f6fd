// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_LEADER_EPOCH_CHECKPOINT_H_
#define VARVE_LOG_LEADER_EPOCH_CHECKPOINT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "log/file_system.h"
#include "log/leader_epochs.h"

namespace varve {

// The file leader-epoch-checkpoint of a partition's directory.

// Errors: NotFound; DataLoss, with the path, the line and what is wrong.
absl::StatusOr<LeaderEpochs> ReadLeaderEpochCheckpoint(Directory& directory);

// Replaces it. Durable on return.
absl::Status WriteLeaderEpochCheckpoint(Directory& directory,
                                        const LeaderEpochs& epochs);

// Reads the epochs off the batches of `segment_bases`, for a partition whose
// checkpoint is lost. Passes over damage; costs a look at every batch.
absl::StatusOr<LeaderEpochs> CollectLeaderEpochs(
    Directory& directory, absl::Span<const int64_t> segment_bases);

}  // namespace varve

#endif  // VARVE_LOG_LEADER_EPOCH_CHECKPOINT_H_
