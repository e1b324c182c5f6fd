// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_FILE_SYSTEM_CHECK_H_
#define VARVE_API_FILE_SYSTEM_CHECK_H_

#include "absl/status/statusor.h"
#include "api/store_options.h"
#include "log/file_system.h"
#include "log/file_system_type.h"

namespace varve {

// Says what a data directory is on.
//
// Errors: FailedPrecondition when a log cannot do there what it promises, and
// `policy` does not allow it; the message says why and what to do.
absl::StatusOr<FileSystemType> CheckFileSystem(Directory& directory,
                                               FileSystemPolicy policy);

}  // namespace varve

#endif  // VARVE_API_FILE_SYSTEM_CHECK_H_
