// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_RETENTION_RETENTION_STATE_H_
#define VARVE_API_RETENTION_RETENTION_STATE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/retention/retention_clock.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What retention knew when it last looked at the whole store: when that was,
// and what it believed of the clock. It is kept in a file, since a store's
// processes may all live shorter than the time from one look to the next, or
// than a doubt.
inline constexpr std::string_view kRetentionStateName = "varve.retention";

// The file's contents, and back.
//
// Errors: DataLoss; FailedPrecondition when a newer version wrote it.
std::string FormatRetentionState(const RetentionClock::State& state);
absl::StatusOr<RetentionClock::State> ParseRetentionState(
    std::string_view text);

// Nothing when there is none, or it cannot be read: then it is as if retention
// had never looked.
std::optional<RetentionClock::State> ReadRetentionState(Directory& directory);

// Replaces it by a rename, and does not sync it: a power loss costs no more
// than a look that comes too early.
absl::Status WriteRetentionState(Directory& directory,
                                 const RetentionClock::State& state);

}  // namespace varve

#endif  // VARVE_API_RETENTION_RETENTION_STATE_H_
