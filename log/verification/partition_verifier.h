// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_PARTITION_VERIFIER_H_
#define VARVE_LOG_VERIFICATION_PARTITION_VERIFIER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/segment_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

// The facts that the verification of a partition starts from.
struct PartitionVerifyInputs {
  // What the store's checkpoint says; none: that file is lost, and the ends of
  // the log are not judged.
  std::optional<PartitionCheckpoint> checkpoint = PartitionCheckpoint();
  Continuity continuity = Continuity::kExact;
  LastWriter last_writer = LastWriter::kClosedCleanly;
  // The id that partition.metadata should have; none: any.
  std::optional<TopicId> topic_id = {};
  // The epochs to judge the batches by. Nothing: those of its own checkpoint,
  // which is judged, too.
  std::optional<LeaderEpochs> epochs = {};
  // How bad it is when an index is wrong: a note, where another program wrote
  // it by rules of its own.
  FindingSeverity index_severity = FindingSeverity::kDamage;
  // To look into compressed batches; borrowed. Null: it does not.
  const Codecs* codecs = nullptr;
  // Called with the number of bytes read since the last call; may be null.
  std::function<void(int64_t)> progress = nullptr;
};

// Checks the directory of one partition against log/FORMAT.md: its file names,
// its leader epochs and metadata, its segments from the first byte to the last
// (log/verification/segment_verifier.h), what its snapshots and transaction
// indexes say of producers (log/verification/producer_verifier.h), and its ends
// against the checkpoint.
//
// It opens nothing for writing, changes nothing and takes no lock.
//
// Errors: file errors of listing the directory (log/system/errno_status.h).
// Everything else is a finding.
absl::StatusOr<PartitionVerification> VerifyPartition(
    Directory& directory, const PartitionVerifyInputs& inputs);

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_PARTITION_VERIFIER_H_
