// SPDX-License-Identifier: Apache-2.0

// From the option --data to an open store.

#ifndef VARVE_TOOLS_DATA_DIRECTORY_H_
#define VARVE_TOOLS_DATA_DIRECTORY_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/log_store.h"
#include "tools/command_line.h"
#include "tools/command_store.h"

namespace varve {

// Errors: InvalidArgument when neither --data nor VARVE_DATA was given.
absl::Status CheckDataDirectory(const GlobalOptions& options);

// NotFound: there is no store in the data directory; and how one is made.
absl::Status NoStoreError(const GlobalOptions& options);

// Opens the store. What opening it and its partitions finds is said on stderr.
//
// Errors: as above; those of LogStore::Open, with a way out.
absl::StatusOr<CommandStore> OpenStore(const GlobalOptions& options,
                                       MissingStore missing);

// Opens the store to read only, beside its writer if there is one.
//
// Errors: as above; those of LogStore::OpenReadOnly, with a way out.
absl::StatusOr<std::unique_ptr<ReadOnlyStore>> OpenStoreReadOnly(
    const GlobalOptions& options);

}  // namespace varve

#endif  // VARVE_TOOLS_DATA_DIRECTORY_H_
