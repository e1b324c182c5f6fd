// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITION_FAILURE_H_
#define VARVE_API_PARTITION_FAILURE_H_

#include "absl/status/status.h"
#include "varve/log/metadata/topic_partition.h"

namespace varve {

// One of several partitions that a call was made for, and why the call failed
// for it.
struct PartitionFailure {
  TopicPartition partition;
  absl::Status status;  // not OK
};

}  // namespace varve

#endif  // VARVE_API_PARTITION_FAILURE_H_
