// SPDX-License-Identifier: Apache-2.0

// From the option --data to an open store.

#ifndef VARVE_TOOLS_SHELL_DATA_DIRECTORY_H_
#define VARVE_TOOLS_SHELL_DATA_DIRECTORY_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/log_store.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/command_store.h"

namespace varve {

// Errors: InvalidArgument when neither --data nor VARVE_DATA was given.
absl::Status CheckDataDirectory(const GlobalOptions& options);

// The NotFound error for a data directory without a store, which says how to
// make one.
absl::Status NoStoreError(const GlobalOptions& options);

// What a command changes in a store, and the function of the library by which a
// program that has the store open does the same.
struct ChangeInStore {
  std::string_view what;
  std::string_view function;
};

// Opens the store to change it, with all codecs; every command that changes one
// does it by this. The findings of opening it and its partitions are printed on
// stderr. When another process has it open, the error says how that process can
// make the change.
//
// Errors: those of CheckDataDirectory, NoStoreError and LogStore::Open.
absl::StatusOr<CommandStore> OpenStoreToChange(
    const GlobalOptions& options, const ChangeInStore& change,
    MissingStore missing = MissingStore::kFail);

// Opens the store to read only, with all codecs, whether or not it has a
// writer. What is found in it that no call returns is printed on stderr.
//
// Errors: those of CheckDataDirectory, NoStoreError and LogStore::OpenReadOnly.
absl::StatusOr<std::unique_ptr<ReadOnlyStore>> OpenStoreReadOnly(
    const GlobalOptions& options);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_DATA_DIRECTORY_H_
