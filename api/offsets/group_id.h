// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_OFFSETS_GROUP_ID_H_
#define VARVE_API_OFFSETS_GROUP_ID_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace varve {

// Bytes of a group's id, at most: Kafka stores their number as an int16.
inline constexpr size_t kGroupIdSizeMax = 32767;

// A consumer group's id is any UTF-8 of 1 to kGroupIdSizeMax bytes.
//
// Errors: InvalidArgument, which shows the id escaped and says what is wrong.
absl::Status ValidateGroupId(std::string_view group);

// A group's id as messages show it.
std::string QuotedGroup(std::string_view group);

// The partition of __consumer_offsets that keeps the offsets of `group`, as
// Kafka has it: Java's hash of the string, without its sign, modulo the count.
//
// Precondition: the id is valid or empty; `partition_count` is 1 or more.
int32_t PartitionForGroup(std::string_view group, int32_t partition_count);

}  // namespace varve

#endif  // VARVE_API_OFFSETS_GROUP_ID_H_
