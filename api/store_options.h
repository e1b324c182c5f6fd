// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_OPTIONS_H_
#define VARVE_API_STORE_OPTIONS_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "log/environment.h"

namespace varve {

// What to do when the data directory is not there.
enum class MissingStore { kCreate, kFail };

struct StoreOptions {
  // Default: an empty store is created, with the directories above it.
  MissingStore missing = MissingStore::kCreate;

  // The window of Durability::kInterval: an append is synced before it is older
  // than this, so a power loss takes no more. Shorter: less to lose, more
  // syncs. Range: 1 ms to 1 hour. Default: 1 s.
  absl::Duration sync_interval = absl::Seconds(1);

  // Files, clock and random numbers; tests supply their own.
  Environment environment = {};

  // Errors: InvalidArgument with the field, the value and what it may be.
  absl::Status Validate() const;
};

}  // namespace varve

#endif  // VARVE_API_STORE_OPTIONS_H_
