// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_EXPORT_EPOCH_RESET_H_
#define VARVE_LOG_EXPORT_EPOCH_RESET_H_

#include <cstdint>

#include "absl/status/status.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Sets the partition leader epoch of every batch of the segment to 0, in place;
// no checksum covers it, so nothing else in a batch changes. The sidecar, which
// does cover it, is removed before that, durably: so a segment that still has
// one is as it was. Synced on return; a segment whose batches all have epoch 0
// is not touched.
//
// Why 0. An epoch counts the leaders of a partition, and varve's are its own
// incarnations. A controller that has never heard of such an epoch begins at a
// lower one: the broker would then drop what it knows of the higher ones, and
// clients would take the log for cut. 0 is at or below every controller's
// (log/FORMAT.md, "Leader epochs").
//
// Precondition: the batches have been verified; offsets may be missing.
//
// Errors: DataLoss when there is something else than batches in the file; file
// errors (log/system/errno_status.h). Some batches may have got the new epoch.
absl::Status ResetEpochs(Directory& directory, int64_t base_offset);

}  // namespace varve

#endif  // VARVE_LOG_EXPORT_EPOCH_RESET_H_
