// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_BACKUP_COPY_SOURCE_H_
#define VARVE_API_BACKUP_COPY_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Both functions are called before anything is changed: what cannot be copied
// must not cost an earlier copy.

// Opens the directory that is copied: a store or a backup, or, to make a
// restore, a backup. Its topics and its checkpoint can be read.
//
// Errors: NotFound when there is no store; FailedPrecondition when it is
// another program's, not finished, of a newer version, or to be restored and no
// backup; DataLoss when varve.topics is damaged; file errors
// (log/system/errno_status.h).
absl::StatusOr<std::unique_ptr<Directory>> OpenCopySource(
    const std::string& path, CopyKind kind, FileSystem& files);

// Checks that the directory `destination`, which may not be there yet, is not
// the source, by whatever path, and that neither lies in the other.
//
// Errors: InvalidArgument, which says what is the case; file errors.
absl::Status CheckApart(Directory& source, const std::string& destination,
                        FileSystem& files);

}  // namespace varve

#endif  // VARVE_API_BACKUP_COPY_SOURCE_H_
