// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/data_directory.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/log_store.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/metadata/lock_conflict.h"
#include "varve/log/system/log_sink.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/command_store.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {

absl::Status CheckDataDirectory(const GlobalOptions& options) {
  if (!options.data.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "no data directory: say --data DIR, or set VARVE_DATA");
}

absl::Status NoStoreError(const GlobalOptions& options) {
  return absl::NotFoundError(absl::StrCat(
      options.data, ": there is no store; \"varve topics create NAME --data ",
      options.data, "\" makes one"));
}

absl::StatusOr<CommandStore> OpenStoreToChange(const GlobalOptions& options,
                                               const ChangeInStore& change,
                                               MissingStore missing) {
  if (absl::Status status = CheckDataDirectory(options); !status.ok()) {
    return status;
  }
  auto store =
      LogStore::Open(options.data, {.missing = missing, .codecs = AllCodecs()});
  if (store.ok()) return CommandStore(*std::move(store));
  if (absl::IsNotFound(store.status()) && missing == MissingStore::kFail) {
    return NoStoreError(options);
  }
  if (!IsLockConflict(store.status())) return store.status();
  return LockConflictError(absl::StrCat(
      store.status().message(), "; ", change.what,
      " can change meanwhile through that one alone, by ", change.function));
}

absl::StatusOr<std::unique_ptr<ReadOnlyStore>> OpenStoreReadOnly(
    const GlobalOptions& options) {
  if (absl::Status status = CheckDataDirectory(options); !status.ok()) {
    return status;
  }
  ReadOnlyOptions read_only = {.codecs = AllCodecs()};
  read_only.environment.log_sink = [](const LogMessage& message) {
    PrintError(message.text);
  };
  auto store = LogStore::OpenReadOnly(options.data, read_only);
  if (absl::IsNotFound(store.status())) return NoStoreError(options);
  return store;
}

}  // namespace varve
