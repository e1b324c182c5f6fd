// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_FILE_SYSTEM_CHECK_H_
#define VARVE_API_STORE_FILE_SYSTEM_CHECK_H_

#include "absl/status/statusor.h"
#include "varve/api/store_options.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

// Returns the type of the file system that a data directory is on.
//
// Errors: FailedPrecondition when a log cannot do there what it promises, and
// `policy` does not allow it; the message says why and what to do.
absl::StatusOr<FileSystemType> CheckFileSystem(Directory& directory,
                                               FileSystemPolicy policy);

}  // namespace varve

#endif  // VARVE_API_STORE_FILE_SYSTEM_CHECK_H_
