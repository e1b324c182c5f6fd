// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_NEXT_READABLE_OFFSET_H_
#define VARVE_LOG_METADATA_NEXT_READABLE_OFFSET_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"

namespace varve {

// Where reads of a log can go on after damage, as a value beside the words "the
// next readable offset is ..." of a DataLoss. It is a payload of the status,
// which copies keep, and which a status that is made anew from the message does
// not have.
//
// Thread safety: thread-safe.

// The offset; nothing when `status` does not have it. A read there finds
// records, or the end of the log.
std::optional<int64_t> NextReadableOffset(const absl::Status& status);

// Adds it to `status`, whose message stays as it is.
//
// Precondition: `status` is not OK.
void SetNextReadableOffset(int64_t offset, absl::Status& status);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_NEXT_READABLE_OFFSET_H_
