// SPDX-License-Identifier: Apache-2.0

// The part of CommittedOffsets that takes over offsets from elsewhere.

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "varve/api/groups/committed_offsets.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_partitions.h"
#include "varve/api/offsets/group_id.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

absl::Status CommittedOffsets::Transfer(
    std::string_view group, absl::Span<const OffsetLog::Change> changes) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  absl::StatusOr<OffsetPartitions::Slot*> slot =
      partitions_.OfGroup(group, OffsetPartitions::MissingTopic::kCreate);
  if (!slot.ok()) return slot.status();
  std::shared_ptr<PartitionLog> log;
  {
    absl::MutexLock lock(&(*slot)->mu);
    OffsetLog& offsets = *(*slot)->offsets;
    log = offsets.log();
    absl::Status status =
        offsets.AppendInParts(changes, NowMs(), Durability::kSynced);
    if (!status.ok()) return status;
  }
  return log->Sync();
}

absl::Status CommittedOffsets::MakeTopic() {
  // Any group does.
  return partitions_.OfGroup("varve", OffsetPartitions::MissingTopic::kCreate)
      .status();
}

}  // namespace varve
