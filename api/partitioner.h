// SPDX-License-Identifier: Apache-2.0

// Which partition a key belongs to: Kafka's default partitioner, so that a
// topic keeps its order of keys when it moves to a cluster or comes from one.

#ifndef VARVE_API_PARTITIONER_H_
#define VARVE_API_PARTITIONER_H_

#include <cstdint>
#include <string_view>

namespace varve {

// The 32-bit MurmurHash2 of `bytes` with Kafka's seed.
uint32_t Murmur2(std::string_view bytes);

// The partition for records with this key, an empty one included: the hash
// without its sign bit, modulo the count. A record without a key may be put
// into any partition: that is the caller's choice.
//
// The partition of a key changes with `partition_count`.
//
// Precondition: `partition_count` is 1 or more.
int32_t PartitionForKey(std::string_view key, int32_t partition_count);

}  // namespace varve

#endif  // VARVE_API_PARTITIONER_H_
