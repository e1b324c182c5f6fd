// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/sync_partitions.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "varve/api/duty/side_by_side.h"
#include "varve/api/partition.h"
#include "varve/api/partition_failure.h"

namespace varve {
namespace {

bool HasUnsynced(const Partition& partition) {
  return partition.valid() && partition.durable_end() < partition.visible_end();
}

PartitionFailure FailureOf(const Partition& partition,
                           const absl::Status& status) {
  PartitionFailure failure;
  failure.status = status;
  if (partition.valid()) {
    failure.partition = {.topic = partition.topic(),
                         .partition = partition.index()};
  }
  return failure;
}

}  // namespace

std::vector<PartitionFailure> SyncPartitions(
    absl::Span<const Partition> partitions, SideBySide& side_by_side) {
  std::vector<absl::Status> results(partitions.size());
  // Only these wait for the disk.
  const int64_t busy =
      std::count_if(partitions.begin(), partitions.end(), HasUnsynced);
  side_by_side.Run(std::ssize(results), busy, [&](int64_t i) {
    const auto index = static_cast<size_t>(i);
    Partition partition = partitions[index];
    results[index] = partition.Sync();
  });
  std::vector<PartitionFailure> failures;
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].ok())
      failures.push_back(FailureOf(partitions[i], results[i]));
  }
  return failures;
}

}  // namespace varve
