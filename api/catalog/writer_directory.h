// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CATALOG_WRITER_DIRECTORY_H_
#define VARVE_API_CATALOG_WRITER_DIRECTORY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// How a directory gets its one writer, be that an open store or a copy that is
// made to it. Whether it may be written at all is for the caller to say, before
// the lock and, when nobody else can change it, after it.

// Opens the directory. Makes it, and those above it, if it is not there; its
// name is durable after `SyncParent`.
//
// Errors: file errors (log/system/errno_status.h).
absl::StatusOr<std::unique_ptr<Directory>> OpenOrMakeDirectory(
    const std::string& path, FileSystem& files);

// Locks the directory by its `.lock`, which is made if it is not there, until
// the file that is returned is closed.
//
// Errors: FailedPrecondition when another writer has it, in this process or
// another, of which IsLockConflict (log/metadata/lock_conflict.h) is true; file
// errors.
absl::StatusOr<std::unique_ptr<File>> LockDirectory(Directory& directory);

// Makes the directory's own entry durable, whoever made it. Where the parent
// may not be read that is for its owner to do, and OK is returned.
//
// Errors: file errors.
absl::Status SyncParent(const std::string& path, FileSystem& files);

}  // namespace varve

#endif  // VARVE_API_CATALOG_WRITER_DIRECTORY_H_
