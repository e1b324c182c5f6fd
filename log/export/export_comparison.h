// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_EXPORT_EXPORT_COMPARISON_H_
#define VARVE_LOG_EXPORT_EXPORT_COMPARISON_H_

#include <memory>

#include "absl/status/statusor.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Whether the directory holds the export of the store's partition as that is
// now: it ends at the same offset, with the same batch but for its leader
// epoch, and begins at or before the store's log start, which may have moved
// since. A log that ends alike without records is the same.
//
// Errors: file errors of either (log/system/errno_status.h).
absl::StatusOr<bool> IsExportOf(std::unique_ptr<Directory> exported,
                                ReadOnlyPartitionReader& store, Clock* clock);

}  // namespace varve

#endif  // VARVE_LOG_EXPORT_EXPORT_COMPARISON_H_
