// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_EXPORT_ROOT_CHECKPOINTS_H_
#define VARVE_API_EXPORT_ROOT_CHECKPOINTS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The checkpoints at the top of a broker's directory, which say of each
// partition how far it is durable, replicated and compacted, and where it
// begins. What they say of a partition that is replaced is not true any more: a
// log start past the new end would cost all of its records.

// Where a partition that was exported begins.
struct ExportedStart {
  int32_t partition = 0;
  int64_t log_start = 0;
  int64_t first_segment = 0;  // its base offset
};

// Errors: DataLoss when one of them is damaged, which takes the whole directory
// off line at the broker's next start; file errors (log/system/errno_status.h).
absl::Status CheckRootCheckpoints(Directory& data);

// Replaces what they say of these partitions of the topic, by the log starts
// alone, and those only that are above the first segment: a broker takes its
// base offset for the others. A partition without a recovery point is checked
// from its first byte on, and its indexes are made anew. Durable on return.
//
// Errors: those of CheckRootCheckpoints. Some of them may be written.
absl::Status UpdateRootCheckpoints(Directory& data, const std::string& topic,
                                   absl::Span<const ExportedStart> starts);

}  // namespace varve

#endif  // VARVE_API_EXPORT_ROOT_CHECKPOINTS_H_
