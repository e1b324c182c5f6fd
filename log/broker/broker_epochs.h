// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BROKER_BROKER_EPOCHS_H_
#define VARVE_LOG_BROKER_BROKER_EPOCHS_H_

#include "absl/status/statusor.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The leader epochs of a broker's partition, by which its batches can be
// judged: from its first file on, where the broker's leader-epoch-checkpoint
// has them from the log start on. The epochs of the batches before that are
// read from the batches; so are all, if the checkpoint is missing or damaged.
//
// Errors: file errors (log/system/errno_status.h).
absl::StatusOr<LeaderEpochs> ReadBrokerEpochs(Directory& partition);

// The epochs of all batches, by the batches alone: for a partition whose
// checkpoint they contradict. Errors: file errors.
absl::StatusOr<LeaderEpochs> CollectBrokerEpochs(Directory& partition);

}  // namespace varve

#endif  // VARVE_LOG_BROKER_BROKER_EPOCHS_H_
