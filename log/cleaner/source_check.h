// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_CLEANER_SOURCE_CHECK_H_
#define VARVE_LOG_CLEANER_SOURCE_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Checks by its sidecar what the CRCs of a segment's batches leave out, before
// compaction reads it: what it writes gets a sidecar of its own, which would
// hide the damage. `end` is where the next segment begins. Without a sidecar
// nothing is known, and nothing is wrong.
//
// Errors: DataLoss with the path and what is wrong.
absl::Status CheckSource(Directory& directory, const Segment& segment,
                         int64_t end);

}  // namespace varve

#endif  // VARVE_LOG_CLEANER_SOURCE_CHECK_H_
