// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_LOCK_CONFLICT_H_
#define VARVE_LOG_METADATA_LOCK_CONFLICT_H_

#include <string_view>

#include "absl/status/status.h"

namespace varve {

// Which FailedPrecondition of an open, a backup or a restore goes away by
// itself: that another writer has the directory locked, a store that it has
// open or a copy that it makes. It is a payload of the status beside its words,
// which copies keep, and which a status that is made anew from the message does
// not have.
//
// Thread safety: thread-safe.

// Whether `status` is that error: the same call succeeds once the other one has
// closed the store, or has ended.
bool IsLockConflict(const absl::Status& status);

// That error: a FailedPrecondition with this message.
absl::Status LockConflictError(std::string_view message);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_LOCK_CONFLICT_H_
