// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_LEADER_EPOCH_COLLECTION_H_
#define VARVE_LOG_RECOVERY_LEADER_EPOCH_COLLECTION_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Reads the epochs from the batches of `segment_bases`, for a partition whose
// leader-epoch-checkpoint is lost. Skips damage; reads every batch.
//
// Errors: file errors (log/system/errno_status.h).
absl::StatusOr<LeaderEpochs> CollectLeaderEpochs(
    Directory& directory, absl::Span<const int64_t> segment_bases);

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_LEADER_EPOCH_COLLECTION_H_
