// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_BACKUP_COPIED_OFFSETS_H_
#define VARVE_API_BACKUP_COPIED_OFFSETS_H_

#include "absl/status/statusor.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {

class Codecs;

// Says whether the committed offsets of a copy need to be checked when it is
// opened, because one of them is not covered by the records of its partition:
// the source had lost records in a power loss, and its next open, which sets
// such offsets back, was still to come. `directory` has the partitions of
// `catalog`, each of which ends at its recovery point. Commits in compressed
// batches are seen with `codecs`, which may be null.
//
// kChecking also when the commits are too damaged to say.
//
// Errors: file errors (log/system/errno_status.h).
absl::StatusOr<FirstOpen> FirstOpenOf(Directory& directory,
                                      const TopicCatalog& catalog,
                                      const StoreCheckpoint& checkpoint,
                                      Clock* clock, const Codecs* codecs);

}  // namespace varve

#endif  // VARVE_API_BACKUP_COPIED_OFFSETS_H_
