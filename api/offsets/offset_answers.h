// SPDX-License-Identifier: Apache-2.0

// What callers are told of a group's offsets: the value, or why there is none.

#ifndef VARVE_API_OFFSETS_OFFSET_ANSWERS_H_
#define VARVE_API_OFFSETS_OFFSET_ANSWERS_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/committed_offset.h"
#include "varve/api/offsets/offset_table.h"

namespace varve {

// The value of an offset of the table. Errors: those of ParseOffsetCommitValue,
// with the group and the partition in the message.
absl::StatusOr<OffsetAndMetadata> OffsetAnswer(std::string_view group,
                                               const TopicPartition& partition,
                                               const OffsetTable::Entry& entry);

// The error NotFound of a group without an offset for the partition.
absl::Status NoOffsetError(std::string_view group,
                           const TopicPartition& partition);

// The error NotFound of a group without any offset.
absl::Status NoGroupError(std::string_view group);

}  // namespace varve

#endif  // VARVE_API_OFFSETS_OFFSET_ANSWERS_H_
