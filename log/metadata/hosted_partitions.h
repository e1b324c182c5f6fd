// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_HOSTED_PARTITIONS_H_
#define VARVE_LOG_METADATA_HOSTED_PARTITIONS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace varve {

// Which partitions of a topic a directory has: a store has all of them, a Kafka
// broker those that it hosts.
//
// Thread safety: a value.
class HostedPartitions {
 public:
  // All of them, as in a store.
  HostedPartitions() = default;

  // Those of a broker. It does not know of others, so the number of partitions
  // in the topic's config is that of the highest one and those below.
  //
  // Precondition: `numbers` ascend, and there is one at least.
  static HostedPartitions OfBroker(std::vector<int32_t> numbers);

  bool is_of_broker() const { return !numbers_.empty(); }

  // Whether a partition of the topic is there.
  bool Has(int32_t partition) const;

  // The numbers of those of a topic with so many partitions that are there,
  // ascending.
  std::vector<int32_t> NumbersOf(int32_t partition_count) const;

  // "0 to 3", or "0, 2, 5, …" with the first few.
  std::string ToString(int32_t partition_count) const;

  friend bool operator==(const HostedPartitions&,
                         const HostedPartitions&) = default;

 private:
  std::vector<int32_t> numbers_;  // empty: all
};

}  // namespace varve

#endif  // VARVE_LOG_METADATA_HOSTED_PARTITIONS_H_
