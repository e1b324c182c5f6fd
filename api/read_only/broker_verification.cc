// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only/broker_verification.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/log/broker/broker_epochs.h"
#include "varve/log/broker/broker_partition.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

absl::StatusOr<PartitionVerification> VerifyBrokerPartition(
    std::unique_ptr<Directory> directory, PartitionVerifyInputs inputs) {
  BrokerPartition partition(std::move(directory));
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(partition);
  if (!bases.ok()) return bases.status();
  absl::StatusOr<LeaderEpochs> epochs = ReadBrokerEpochs(partition);
  if (!epochs.ok()) return epochs.status();
  inputs.epochs = *std::move(epochs);
  inputs.index_severity = FindingSeverity::kNote;
  if (inputs.checkpoint.has_value()) {
    PartitionCheckpoint& checkpoint = *inputs.checkpoint;
    if (checkpoint.recovery_point == checkpoint.log_start &&
        inputs.last_writer == LastWriter::kClosedCleanly) {
      inputs.last_writer = LastWriter::kDied;
    }
    if (!bases->empty())
      checkpoint.log_start = std::max(checkpoint.log_start, bases->front());
    checkpoint.recovery_point =
        std::max(checkpoint.recovery_point, checkpoint.log_start);
  }
  return VerifyPartition(partition, inputs);
}

absl::StatusOr<PartitionVerification> VerifyCompactedPartition(
    std::unique_ptr<Directory> directory, const PartitionVerifyInputs& inputs) {
  BrokerPartition partition(std::move(directory),
                            BrokerPartition::Owner::kStore);
  return VerifyPartition(partition, inputs);
}

}  // namespace varve
