// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_SEGMENT_LISTING_H_
#define VARVE_LOG_RECOVERY_SEGMENT_LISTING_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The base offsets of the segments in a partition's directory, ascending.
//
// Errors: file errors (log/system/errno_status.h).
absl::StatusOr<std::vector<int64_t>> ListSegments(Directory& directory);

// The same, after replacements of segments that were interrupted are settled
// (log/swap/swap_recovery.h): for whoever is about to write to the directory.
//
// Errors: file errors.
absl::StatusOr<std::vector<int64_t>> ListSettledSegments(Directory& directory);

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_SEGMENT_LISTING_H_
