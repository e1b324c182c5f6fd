// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_DATA_DIRECTORY_H_
#define VARVE_API_STORE_DATA_DIRECTORY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "varve/api/store_options.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Opens the directory of a store, or makes it.
//
// Errors: NotFound when it is not there, and the options say that it is not to
// be made; file errors (log/system/errno_status.h).
absl::StatusOr<std::unique_ptr<Directory>> OpenDataDirectory(
    const std::string& path, const StoreOptions& options);

// Locks the directory for a writer, if a store may be opened in it for writing:
// one that is there, or a new one in an empty directory. The name of a new
// store's directory is durable on return.
//
// Errors: FailedPrecondition when another writer has it open, or copies to it
// (log/metadata/lock_conflict.h), or it is a backup, the place of an unfinished
// backup or restore, or another program's; NotFound when it is empty, and the
// options say that no store is to be made; file errors.
absl::StatusOr<std::unique_ptr<File>> LockDataDirectory(
    Directory& directory, const StoreOptions& options);

}  // namespace varve

#endif  // VARVE_API_STORE_DATA_DIRECTORY_H_
