// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_BACKUP_STORE_COPIER_H_
#define VARVE_API_BACKUP_STORE_COPIER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/api/store_copy.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Copies the store in `source`, whether or not it has a writer, to
// `destination`, and finishes that.
//
// First the partitions of __consumer_offsets, each to its end; then the topics
// are looked up, and all others copied, each to the end that it has by then. So
// a committed offset in the copy is not past the end of its partition in the
// copy: an offset can be committed only for records that are visible, and they
// are visible when their partition is copied after that. A source that has lost
// records, and was not opened since, may have other offsets: if there are any
// in the copy, its first open is one that checks all of them.
// api/store_backup.h has this cut in full.
//
// Topics that are made while the committed offsets are copied are in the copy;
// those that are made, and partitions that are added, later are not. A topic
// that is deleted before it is copied whole is left out.
//
// Errors: DataLoss when the source is damaged, and that is refused; those of
// CopyPartition (log/backup/partition_copy.h), CopyDestination and
// ReadTopicCatalog. The destination is unfinished then.
absl::StatusOr<StoreCopy> CopyStoreFiles(std::shared_ptr<Directory> source,
                                         CopyDestination& destination,
                                         const StoreCopyOptions& options,
                                         Clock* clock);

}  // namespace varve

#endif  // VARVE_API_BACKUP_STORE_COPIER_H_
